"""Alertmanager's configuration file: the part that is supported, and a clear refusal of the rest.

    config, problems = read(text, "routes.yml")

Either there is a configuration or there are problems; all of them at once.
"""

from dataclasses import dataclass

from notifiers.matchers import Matcher, Operator, is_label_name, parse_matchers
from notifiers.problem import Problem, did_you_mean
from notifiers.receivers import Receiver, read_receiver
from notifiers.route_tree import Route, RouteConfig, build
from notifiers.yaml_reader import Reading, Section, compose

_LATER = frozenset(
    [
        "inhibit_rules",
        "templates",
        "mute_time_intervals",
        "time_intervals",
    ]
)
_LATER_ROUTE = frozenset(
    [
        "mute_time_intervals",
        "active_time_intervals",
        "labels",
    ]
)
_LATER_GLOBAL = frozenset(
    [
        "http_config",
        "jira_api_url",
        "smtp_from",
        "smtp_hello",
        "smtp_smarthost",
        "smtp_auth_username",
        "smtp_auth_password",
        "smtp_auth_password_file",
        "smtp_auth_secret",
        "smtp_auth_secret_file",
        "smtp_auth_identity",
        "smtp_require_tls",
        "smtp_tls_config",
        "smtp_force_implicit_tls",
        "slack_api_url",
        "slack_api_url_file",
        "slack_app_token",
        "slack_app_token_file",
        "slack_app_url",
        "pagerduty_url",
        "opsgenie_api_url",
        "opsgenie_api_key",
        "opsgenie_api_key_file",
        "wechat_api_url",
        "wechat_api_secret",
        "wechat_api_secret_file",
        "wechat_api_corp_id",
        "victorops_api_url",
        "victorops_api_key",
        "victorops_api_key_file",
        "telegram_api_url",
        "telegram_bot_token",
        "telegram_bot_token_file",
        "webex_api_url",
        "rocketchat_api_url",
        "rocketchat_token",
        "rocketchat_token_file",
        "rocketchat_token_id",
        "rocketchat_token_id_file",
        "mattermost_webhook_url",
        "mattermost_webhook_url_file",
    ]
)


@dataclass(frozen=True, slots=True)
class Config:
    """What a routing file says; `resolve_timeout` in ms."""

    route: Route
    receivers: dict[str, Receiver]
    resolve_timeout: int = 300_000


def read(text: str, file: str) -> tuple[Config | None, list[Problem]]:
    """The configuration in this text, or everything that is wrong with it."""
    reading = Reading(file)
    root = compose(text, reading)
    if root is None:
        return None, reading.problems
    timeout = _global(root.section("global"))
    receivers = _receivers(root)
    route = _root(root, receivers)
    root.close(_LATER)
    if route is None or reading.problems:
        return None, sorted(reading.problems, key=lambda problem: problem.line)
    return Config(build(route), receivers, timeout or 300_000), []


def _global(found: Section | None) -> int | None:
    if found is None:
        return None
    timeout = found.duration("resolve_timeout")
    found.close(_LATER_GLOBAL)
    return timeout


def _receivers(root: Section) -> dict[str, Receiver]:
    receivers: dict[str, Receiver] = {}
    for found in root.sections("receivers"):
        receiver = read_receiver(found)
        if receiver is None:
            continue
        if (first := receivers.get(receiver.name)) is not None:
            hint = f"it stands already in line {first.line}"
            found.problem("name", f'receiver name "{receiver.name}" is not unique', hint)
        receivers.setdefault(receiver.name, receiver)
    return receivers


def _root(root: Section, receivers: dict[str, Receiver]) -> RouteConfig | None:
    found = root.section("route")
    if found is None:
        if "route" not in root.items or root.value("route") is None:
            root.problem("route", "no route provided in config")
        return None
    route = _route(found, receivers)
    if not route.receiver:
        found.problem("receiver", "root route must specify a default receiver")
    if route.matchers:
        found.problem("matchers", "root route must not have any matchers", at=found.node)
    if route.carries_on:
        found.problem("continue", "cannot have continue in root route")
    return route


def _route(found: Section, receivers: dict[str, Receiver]) -> RouteConfig:
    receiver = found.text("receiver") or ""
    if receiver and receiver not in receivers:
        hint = did_you_mean(receiver, receivers)
        found.problem("receiver", f'undefined receiver "{receiver}" used in route', hint)
    group_by, by_all = _group_by(found)
    interval, repeat = found.duration("group_interval"), found.duration("repeat_interval")
    if interval == 0:
        found.problem("group_interval", "group_interval cannot be zero")
    if repeat == 0:
        found.problem("repeat_interval", "repeat_interval cannot be zero")
    route = RouteConfig(
        receiver=receiver,
        matchers=tuple(_matchers(found)),
        group_by=group_by,
        group_by_all=by_all,
        carries_on=found.boolean("continue") is True,
        group_wait=found.duration("group_wait"),
        group_interval=interval,
        repeat_interval=repeat,
        routes=tuple(_route(child, receivers) for child in found.sections("routes")),
        line=found.node.start_mark.line + 1,
    )
    found.close(_LATER_ROUTE)
    return route


def _group_by(found: Section) -> tuple[frozenset[str] | None, bool]:
    names: set[str] = set()
    by_all = False
    for name, node in found.texts("group_by"):
        if name == "...":
            by_all = True
        elif not is_label_name(name):
            found.problem("group_by", f'invalid label name "{name}" in group_by list', at=node)
        elif name in names:
            found.problem("group_by", f'duplicated label "{name}" in group_by', at=node)
        names.add(name)
    names.discard("...")
    if names and by_all:
        message = "cannot have wildcard group_by (`...`) and other labels at the same time"
        found.problem("group_by", message)
    # An empty list says nothing: Alertmanager lets the parent's hold.
    return (frozenset(names) if names else None), by_all


def _matchers(found: Section) -> list[Matcher]:
    matchers: list[Matcher] = []
    for key, operator in (("match", Operator.EQUAL), ("match_re", Operator.MATCHES)):
        for name, value, node in found.pairs(key):
            if not is_label_name(name):
                found.problem(key, f'invalid label name "{name}"', at=node)
                continue
            try:
                matchers.append(Matcher(name, operator, value))
            except ValueError as fault:
                found.problem(f"{key}.{name}", str(fault), at=node)
    for text, node in found.texts("matchers"):
        try:
            matchers += parse_matchers(text)
        except ValueError as fault:
            found.problem("matchers", str(fault), at=node)
    return matchers

"""`tocsin routes test`: which receivers an alert reaches, as `amtool config routes test` says."""

import argparse
import json
import time
from collections.abc import Mapping

from notifiers.alert_script import instant
from notifiers.config import Config
from notifiers.escalation.call import calls, is_open
from notifiers.escalation.start import SEVERITY
from notifiers.matchers import Operator, parse_matchers, written
from notifiers.route_tree import Route
from ops.cli.query import when
from ops.cli.routes_file import config_at
from schemas.errors import Refused


def run(arguments: argparse.Namespace) -> int:
    """Print the receivers; exit code 1 if they are not those that were expected."""
    config = config_at(arguments.routes)
    labels = labels_of(arguments.labels)
    routes = config.route.match(labels)
    receivers = ",".join(route.receiver for route in routes)
    at = None if arguments.at is None else _at(arguments.at)
    if arguments.json:
        print(json.dumps(_plain(config, routes, labels, at)))
    else:
        if arguments.tree:
            print(tree_text(config.route, labels))
        print(receivers)
        for route in routes:
            if policy := policy_of(route, labels):
                print(_escalated(config, policy, labels, at))
        if at is not None:
            for route in routes:
                print(_told(config, route, at))
    expected = arguments.verify_receivers
    if expected and expected != receivers:
        # Where amtool says it, so that a script may read either.
        print("WARNING: Expected receivers did not match resolved receivers.")
        return 1
    return 0


def labels_of(texts: list[str]) -> dict[str, str]:
    """Labels as they are typed, in the grammar of matchers. Raises Refused."""
    labels: dict[str, str] = {}
    for text in texts:
        try:
            matchers = parse_matchers(text)
        except ValueError as fault:
            raise Refused(f"Failed to parse labels: {fault}") from fault
        if len(matchers) != 1 or matchers[0].operator is not Operator.EQUAL:
            raise Refused(f'Labels must be specified as key=value pairs, not "{text}"')
        labels[matchers[0].name] = matchers[0].value
    return labels


def tree_text(root: Route, labels: Mapping[str, str]) -> str:
    """The routes that are tried, as amtool draws them."""
    return "\n".join(["Matching routes:", ".", *_branch(root, labels, "", last=True), "", ""])


def _branch(route: Route, labels: Mapping[str, str], indent: str, *, last: bool) -> list[str]:
    below = []
    for child in route.routes:
        if all(matcher.matches(labels) for matcher in child.matchers):
            below.append(child)
            if not child.carries_on:
                break
    name = written(route.matchers) if route.matchers else "default-route"
    shown = name if below else f"{name}  receiver: {route.receiver}"
    lines = [f"{indent}{'└' if last else '├'}── {shown}"]
    inner = indent + ("    " if last else "│   ")
    for child in below:
        lines += _branch(child, labels, inner, last=child is below[-1])
    return lines


def _at(text: str) -> int:
    if text == "now":
        return round(time.time() * 1_000)
    try:
        return instant(int(text) if text.isdecimal() else text)
    except ValueError as fault:
        raise Refused(f"routes test: --at: {fault}") from fault


def muted(config: Config, route: Route, at: int) -> str:
    """Why a route is silent at this instant (ms); nothing if it is not."""
    inside = {
        name: any(span.contains(at) for span in config.time_intervals.get(name, ()))
        for name in (*route.mute, *route.active)
    }
    # Alertmanager asks for active intervals first.
    if route.active and not any(inside[name] for name in route.active):
        return f"outside of active_time_intervals: {', '.join(route.active)}"
    within = [name for name in route.mute if inside[name]]
    return f"inside of mute_time_intervals: {', '.join(within)}" if within else ""


def _told(config: Config, route: Route, at: int) -> str:
    why = muted(config, route, at)
    return f"{route.receiver} at {when(at / 1_000)}: {f'muted, {why}' if why else 'told'}"


def policy_of(route: Route, labels: Mapping[str, str]) -> str:
    """The escalation policy of an incident of this alert alone; nothing if there is none."""
    return route.escalation.policy({labels.get(SEVERITY, "")})


def _escalated(config: Config, policy: str, labels: Mapping[str, str], at: int | None) -> str:
    said = f"escalated by {policy}"
    if at is None:
        return said
    step, severity = config.policies[policy].steps[0], {labels.get(SEVERITY, "")}
    if not is_open(step, config, at):
        return f"{said}: its first step is passed over at {when(at / 1_000)}"
    found = calls(step, config, lambda schedule, at: schedule.on_call(at), severity, at)
    return f"{said}, which calls first at {when(at / 1_000)}: {', '.join(map(str, found))}"


def _plain(
    config: Config, routes: list[Route], labels: Mapping[str, str], at: int | None
) -> dict[str, object]:
    return {
        "receivers": [route.receiver for route in routes],
        "routes": [
            {"route": route.id, "receiver": route.receiver}
            | ({} if at is None else {"muted": muted(config, route, at)})
            | ({"escalation_policy": policy} if (policy := policy_of(route, labels)) else {})
            for route in routes
        ],
    } | ({} if at is None else {"at": when(at / 1_000)})

"""What differs between two routing files, and whom that concerns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from notifiers.change import Change, gone_or_new, if_different
from notifiers.config import Config
from notifiers.matchers import Matcher, Operator
from notifiers.other_changes import other_changes
from notifiers.receivers import Receiver
from notifiers.route_tree import Route

_OF_ROUTE = (
    *("receiver", "carries_on", "group_by", "group_by_all"),
    *("group_wait", "group_interval", "repeat_interval", "mute", "active", "escalation"),
    *("flaps", "labels"),
)
_MOST = 8
_OTHER = "other"
"""A value that no regular expression is expected to mean."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A label set that reaches other receivers than before."""

    labels: dict[str, str]
    before: tuple[str, ...]
    after: tuple[str, ...]


def changes(old: Config, new: Config) -> list[Change]:
    """Every difference in routes, receivers, and what else decides who is told and when."""
    return [
        *_route_changes(old.route, new.route),
        *_receiver_changes(old.receivers, new.receivers),
        *other_changes(old, new),
    ]


def affected(old: Config, new: Config, alerts: Iterable[Mapping[str, str]]) -> list[Affected]:
    """The label sets whose receivers differ, each once."""
    found: dict[tuple[tuple[str, str], ...], Affected] = {}
    for labels in alerts:
        before, after = (
            tuple(route.receiver for route in config.route.match(labels)) for config in (old, new)
        )
        if before != after:
            found[tuple(sorted(labels.items()))] = Affected(dict(labels), before, after)
    return list(found.values())


def representatives(*roots: Route) -> tuple[list[dict[str, str]], list[str]]:
    """For each route label sets that reach it, and the routes for which none was found.

    One for each alternative of its regular expressions, up to eight.
    """
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    missed: dict[str, None] = {}
    for root in roots:
        for path in _paths(root, ()):
            reached = False
            for labels in _examples([matcher for route in path for matcher in route.matchers]):
                if any(one is path[-1] for one in root.match(labels)):
                    found[tuple(sorted(labels.items()))] = labels
                    reached = True
            if not reached and not path[-1].routes:
                missed[path[-1].id] = None
    return list(found.values()), list(missed)


def _paths(route: Route, above: tuple[Route, ...]) -> Iterator[tuple[Route, ...]]:
    yield (*above, route)
    for child in route.routes:
        yield from _paths(child, (*above, route))


def _examples(matchers: list[Matcher]) -> Iterator[dict[str, str]]:
    """Label sets that all of these match, by trying what their values suggest."""
    values: dict[str, list[str]] = {}
    for name in dict.fromkeys(matcher.name for matcher in matchers):
        mine = [matcher for matcher in matchers if matcher.name == name]
        suggested = dict.fromkeys(text for one in mine for text in _suggested(one))
        fitting = [text for text in (*suggested, "", _OTHER) if _fits(mine, text)]
        values[name] = [text for text in fitting if text in suggested] or fitting[:1]
        if not values[name]:
            return
    for turn in range(min(_MOST, max(map(len, values.values()), default=1))):
        chosen = {name: some[min(turn, len(some) - 1)] for name, some in values.items()}
        yield {name: value for name, value in chosen.items() if value}


def _fits(matchers: list[Matcher], value: str) -> bool:
    return all(matcher.matches({matcher.name: value}) for matcher in matchers)


def _suggested(matcher: Matcher) -> Iterator[str]:
    if matcher.operator is Operator.EQUAL:
        yield matcher.value
    elif matcher.operator is Operator.MATCHES:
        for part in matcher.value.replace("(?:", "").strip("^$()").split("|"):
            yield part
            plain = part.strip("()").replace(r"\.", ".")
            yield plain.replace(".*", "").replace(".+", "x")
            yield plain.replace(".*", "x").replace(".+", "x").replace(r"\d", "1").rstrip("+*?")
            yield plain.replace("[0-9]+", "1").replace(r"\d+", "1").replace(".+", "x")


def _route_changes(old: Route, new: Route) -> Iterator[Change]:
    before, after = ({route.id: route for route in root.walk()} for root in (old, new))
    for name in dict.fromkeys((*before, *after)):
        was, is_ = before.get(name), after.get(name)
        if was is None or is_ is None:
            yield gone_or_new(
                "route",
                name,
                "" if was is None else was.receiver,
                "" if is_ is None else is_.receiver,
            )
            continue
        for key in _OF_ROUTE:
            yield from if_different("route", name, key, getattr(was, key), getattr(is_, key))
    common = [
        [name for name in one if name in other] for one, other in ((before, after), (after, before))
    ]
    if common[0] != common[1]:
        yield Change("routes", "", "order", " ".join(common[0]), " ".join(common[1]))


def _receiver_changes(
    before: Mapping[str, Receiver], after: Mapping[str, Receiver]
) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        was, is_ = before.get(name), after.get(name)
        if was is None or is_ is None:
            yield gone_or_new("receiver", name, _kinds(was), _kinds(is_))
        elif _kinds(was) != _kinds(is_):
            yield Change("receiver", name, "channels", _kinds(was), _kinds(is_))
        else:
            for key in ("rate_limit", "fallback", "labels"):
                yield from if_different("receiver", name, key, getattr(was, key), getattr(is_, key))
            for index, (one, other) in enumerate(zip(was.channels, is_.channels, strict=True)):
                for field in fields(one):
                    if getattr(one, field.name) != getattr(other, field.name):
                        # Only that it differs: a value may be a secret.
                        key = f"{one.kind}[{index}].{field.name}"
                        yield Change("receiver", name, key, "changed", "changed")


def _kinds(receiver: Receiver | None) -> str:
    if receiver is None:
        return ""
    return ", ".join(channel.kind for channel in receiver.channels) or "no channel"

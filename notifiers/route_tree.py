"""The tree of routes: which nodes an alert reaches. Alertmanager's semantics, no clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from notifiers.escalation.policy import Choice
from notifiers.matchers import Matcher, in_order, written
from notifiers.storms.settings import OFF, FlapDetection


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """A route as it was written; None where the parent's value holds. Times in ms."""

    receiver: str = ""
    matchers: tuple[Matcher, ...] = ()
    group_by: frozenset[str] | None = None
    group_by_all: bool = False
    carries_on: bool = False
    group_wait: int | None = None
    group_interval: int | None = None
    repeat_interval: int | None = None
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    escalation: Choice | None = None
    flaps: FlapDetection | None = None
    labels: tuple[tuple[str, str], ...] = ()
    routes: tuple["RouteConfig", ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """A node with everything it inherited.

    `id` tells nodes with the same key apart by their order among those; so it stays when routes
    with other keys come and go, and a group keeps its timers over a change of plan. `mute` and
    `active` name time intervals; they are a node's own, for Alertmanager inherits neither. `labels`
    are for templates; their values are templates themselves.
    """

    key: str
    id: str
    matchers: tuple[Matcher, ...]
    carries_on: bool
    receiver: str
    group_by: frozenset[str] = frozenset()
    group_by_all: bool = False
    group_wait: int = 30_000
    group_interval: int = 300_000
    repeat_interval: int = 14_400_000
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    escalation: Choice = field(default_factory=Choice)
    flaps: FlapDetection | None = None
    labels: tuple[tuple[str, str], ...] = ()
    routes: list["Route"] = field(default_factory=list)

    def match(self, labels: Mapping[str, str]) -> list["Route"]:
        """The nodes that an alert reaches, depth first.

        The first matching child ends the search on its level unless it says `continue`; a node
        none of whose children match takes the alert itself.
        """
        if not all(matcher.matches(labels) for matcher in self.matchers):
            return []
        reached: list[Route] = []
        for child in self.routes:
            below = child.match(labels)
            reached += below
            if below and not child.carries_on:
                break
        return reached or [self]

    def looks_at(self) -> tuple[str, ...] | None:
        """The labels that decide on an alert's way and groups; None if some group is by all."""
        routes = list(self.walk())
        if any(route.group_by_all for route in routes):
            return None
        names = {matcher.name for route in routes for matcher in route.matchers}
        return tuple(sorted(names.union(*(route.group_by for route in routes))))

    def walk(self) -> Iterator["Route"]:
        """This node and all below, depth first."""
        yield self
        for child in self.routes:
            yield from child.walk()


def build(config: RouteConfig) -> Route:
    """The tree under this root."""
    return _build(config, None, {})


def _build(config: RouteConfig, parent: Route | None, keys: dict[str, int]) -> Route:
    matchers = in_order(config.matchers)
    key = written(matchers) if parent is None else f"{parent.key}/{written(matchers)}"
    keys[key] = keys.get(key, -1) + 1
    above = parent or Route("", "", (), False, "")
    listed = config.group_by is not None
    flaps = above.flaps if config.flaps is None else config.flaps
    route = Route(
        key=key,
        id=f"{key}#{keys[key]}" if keys[key] else key,
        matchers=matchers,
        carries_on=config.carries_on,
        receiver=config.receiver or above.receiver,
        group_by=above.group_by if config.group_by is None else config.group_by,
        group_by_all=config.group_by_all or (above.group_by_all and not listed),
        group_wait=above.group_wait if config.group_wait is None else config.group_wait,
        group_interval=config.group_interval or above.group_interval,
        repeat_interval=config.repeat_interval or above.repeat_interval,
        mute=config.mute,
        active=config.active,
        escalation=above.escalation if config.escalation is None else config.escalation,
        flaps=None if flaps == OFF else flaps,
        labels=tuple(sorted((dict(above.labels) | dict(config.labels)).items())),
    )
    route.routes.extend(_build(child, route, keys) for child in config.routes)
    return route

"""The parameters that Alertmanager's lists have in common, and what they let through."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import QueryParams

from notifiers.config import Config, read
from notifiers.matchers import Matcher, Mode, Operator, parse_matcher
from notifiers.regex import Pattern, compiled
from ops.api.alertmanager_refusal import Denied
from ops.services import AlertView, Routing
from schemas.alerts import AlertState

_TRUE = frozenset({"1", "t", "true", "y", "yes", "ok", "on", "selected", "checked", "enabled"})
_NEGATIVE = frozenset({Operator.NOT_EQUAL, Operator.MATCHES_NOT})


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for; matchers of `filter`, and whom the receivers have to be."""

    matchers: tuple[Matcher, ...]
    receiver: Pattern | None
    receiver_matchers: tuple[Matcher, ...]
    active: bool
    silenced: bool
    inhibited: bool
    muted: bool
    labels: dict[str, dict[str, str]]
    """Of receivers, by name."""

    def takes(self, alert: AlertView, now: int) -> bool:
        """Whether the list has this alert."""
        if alert.state is not AlertState.FIRING:
            return False
        if alert.ends_at is not None and alert.ends_at < now:
            return False
        if not meets(self.matchers, alert.labels):
            return False
        if not self.active and not alert.silenced_by and not alert.inhibited_by:
            return False
        if not self.silenced and alert.silenced_by:
            return False
        return self.inhibited or not alert.inhibited_by

    def takes_any(self, receivers: Iterable[str]) -> bool:
        """Whether one of these receivers is asked for."""
        names = list(receivers)
        if self.receiver is not None and not any(map(self.receiver.matches, names)):
            return False
        known = self.receiver_matchers
        labels = self.labels
        return not known or any(meets(known, labels.get(name, {"name": name})) for name in names)


def query_of(given: QueryParams, routing: Routing) -> Query:
    """The parameters of a request. Raises `Denied` as Alertmanager does."""
    mode = routing.mode
    return Query(
        matchers_of(given.getlist("filter"), mode),
        _receiver(given.get("receiver")),
        matchers_of(
            given.getlist("receiver_matchers"), mode, "failed to parse receiver_matchers param: "
        ),
        flag(given, "active"),
        flag(given, "silenced"),
        flag(given, "inhibited"),
        flag(given, "muted"),
        labels_of(routing),
    )


def flag(given: QueryParams, name: str) -> bool:
    """True where it is not given; whatever is not known as true is false, as with go-openapi."""
    said = given.get(name, "")
    return said == "" or said.lower() in _TRUE


def matchers_of(texts: Sequence[str], mode: Mode, before: str = "") -> tuple[Matcher, ...]:
    """One matcher each. Raises `Denied`."""
    try:
        return tuple(parse_matcher(text, mode) for text in texts)
    except ValueError as fault:
        raise Denied(400, f"{before}{fault}") from fault


def meets(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all match as a filter does, where `a!=""` is also met by a label that is empty."""
    return all(
        (matcher.value == "" and (matcher.name in labels) == (matcher.operator in _NEGATIVE))
        or matcher.matches(labels)
        for matcher in matchers
    )


def _receiver(text: str | None) -> Pattern | None:
    if text is None:
        return None
    try:
        return compiled(text)
    except ValueError as fault:
        raise Denied(400, f"failed to parse receiver param: {fault}") from fault


@lru_cache(maxsize=2)
def config_of(routing: Routing) -> Config | None:
    """The configuration in force; None while there is none that can be read."""
    config, _ = read(routing.text, "routes", bare=True, mode=routing.mode)
    return config


def labels_of(routing: Routing) -> dict[str, dict[str, str]]:
    """The receivers' labels by name, in the order of the configuration in force."""
    config = config_of(routing)
    receivers = {} if config is None else config.receivers
    return {name: receiver.labels for name, receiver in receivers.items()}

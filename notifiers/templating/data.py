"""Alertmanager's data model for templates, made of a delivery."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, tzinfo
from typing import ClassVar, Final, cast

from notifiers.templating.times import Moment, moment
from notifiers.wording import headline, notice, reason, summary
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery
from schemas.labels import fingerprint
from schemas.templates.running import STRING, Function, Parameter
from schemas.templates.values import Slice, Typed, Value, no_field, text

_META = frozenset("\\.+*?()|[]{}^$")


class Strings(Slice):
    """`template.Strings`: names or values."""

    go_type = "template.Strings"

    def member(self, name: str) -> Value:
        """`Join`."""
        if name == "Join":
            return Function((STRING,), lambda _, given: cast(str, given[0]).join(map(str, self)))
        raise no_field(self, name)


class PlainStrings(Slice):
    """`[]string`, which has no methods."""

    go_type = "[]string"


STRINGS: Final = Parameter("[]string", nilable=True, also=("template.Strings",))


class Record(Typed):
    """A struct; `NAMES` are Go's names of the fields in their order."""

    __slots__ = ()
    NAMES: ClassVar[tuple[str, ...]]

    def member(self, name: str) -> Value:
        """A field."""
        for known, value in self.entries():
            if known == name:
                return value
        raise no_field(self, name)

    def entries(self) -> list[tuple[str, Value]]:
        """Fields with their names."""
        found = (getattr(self, each.name) for each in fields(self))  # type: ignore[arg-type]
        return list(zip(self.NAMES, found, strict=True))

    def shown(self) -> str:
        """All fields in braces."""
        return "{" + " ".join(text(value) for _, value in self.entries()) + "}"


@dataclass(frozen=True, slots=True)
class Pair(Record):
    """`template.Pair`."""

    go_type = "template.Pair"
    NAMES = ("Name", "Value")
    name: str
    value: str


class Pairs(Slice):
    """`template.Pairs`, in the order of `SortedPairs`."""

    go_type = "template.Pairs"

    @property
    def pairs(self) -> list[Pair]:
        """The elements."""
        return [each for each in self if isinstance(each, Pair)]

    def member(self, name: str) -> Value:
        """`Names` or `Values`."""
        match name:
            case "Names":
                return Strings(pair.name for pair in self.pairs)
            case "Values":
                return Strings(pair.value for pair in self.pairs)
            case "String":
                return self.shown()
        raise no_field(self, name)

    def shown(self) -> str:
        """`a=1, b=2`."""
        return ", ".join(f"{pair.name}={pair.value}" for pair in self.pairs)


class Labels(Typed, dict[str, str]):
    """`template.KV`: labels or annotations."""

    go_type = "template.KV"

    def member(self, name: str) -> Value:
        """A method, else the entry; empty text where there is none."""
        if name == "Remove":
            return Function((STRINGS,), lambda _, given: self._without(given[0]))
        method = _OF_LABELS.get(name)
        return self.get(name, "") if method is None else method(self)

    def sorted_pairs(self) -> Pairs:
        """By name, but `alertname` first."""
        names = sorted(self, key=lambda name: (name != "alertname", name.encode()))
        return Pairs(Pair(name, self[name]) for name in names)

    def _without(self, names: Value) -> "Labels":
        removed = frozenset(cast(Iterable[str], names or ()))
        return Labels({name: value for name, value in self.items() if name not in removed})

    def shown(self) -> str:
        """`a=1, b=2`."""
        return self.sorted_pairs().shown()


_OF_LABELS: dict[str, Callable[[Labels], Value]] = {
    "SortedPairs": Labels.sorted_pairs,
    "Names": lambda labels: labels.sorted_pairs().member("Names"),
    "Values": lambda labels: labels.sorted_pairs().member("Values"),
    "String": Labels.shown,
}


@dataclass(frozen=True, slots=True)
class Alert(Record):
    """`template.Alert`."""

    go_type = "template.Alert"
    NAMES = (
        *("Status", "Labels", "Annotations", "StartsAt", "EndsAt"),
        *("GeneratorURL", "Fingerprint"),
    )
    status: str
    labels: Labels
    annotations: Labels
    starts_at: Moment
    ends_at: Moment
    generator_url: str
    fingerprint: str


class PlainAlerts(Slice):
    """`[]template.Alert`, which has no methods."""

    go_type = "[]template.Alert"


class Alerts(Slice):
    """`template.Alerts`."""

    go_type = "template.Alerts"

    def member(self, name: str) -> Value:
        """`Firing` or `Resolved`."""
        if name not in {"Firing", "Resolved"}:
            raise no_field(self, name)
        wanted = name.lower()
        return PlainAlerts(each for each in self if cast(Alert, each).status == wanted)


@dataclass(frozen=True, slots=True)
class Data(Record):
    """`template.Data`: the dot of every template of a receiver.

    `said` are fields of our own, which printing it, as Alertmanager's, does not show.
    """

    go_type = "*template.Data"
    NAMES = (
        *("Receiver", "Status", "Alerts", "NotificationReason"),
        *("GroupLabels", "CommonLabels", "CommonAnnotations", "RouteLabels", "ExternalURL"),
    )
    receiver: str
    status: str
    alerts: Alerts
    notification_reason: str
    group_labels: Labels
    common_labels: Labels
    common_annotations: Labels
    route_labels: Labels
    external_url: str
    said: Mapping[str, str]

    def member(self, name: str) -> Value:
        """A field, Alertmanager's or ours."""
        own = self.said.get(name)
        return Record.member(self, name) if own is None else own

    def entries(self) -> list[tuple[str, Value]]:
        """Alertmanager's fields alone."""
        found = (getattr(self, each.name) for each in fields(self)[:-1])
        return list(zip(self.NAMES, found, strict=True))


def data(delivery: Delivery, home: tzinfo | None = UTC) -> Data:
    """What a delivery says, to somebody whose zone is `home`.

    The receiver's name is escaped for regular expressions, as there.
    """
    alerts = Alerts(_alert(each, home) for each in delivery.alerts)
    firing = any(each.state is AlertState.FIRING for each in delivery.alerts)
    return Data(
        "".join(f"\\{rune}" if rune in _META else rune for rune in delivery.receiver),
        "firing" if firing else "resolved",
        alerts,
        reason(delivery.why),
        Labels(delivery.group_labels),
        Labels(delivery.common_labels),
        Labels(delivery.common_annotations),
        Labels(delivery.route_labels),
        delivery.external_url,
        {
            "Headline": headline(delivery),
            "Notice": notice(delivery),
            "Summary": summary(delivery),
            "Incident": delivery.incident,
            "AcknowledgedBy": delivery.acknowledged_by,
        },
    )


def _alert(level: AlertLevel, home: tzinfo | None) -> Alert:
    resolved = level.state is AlertState.RESOLVED
    return Alert(
        "resolved" if resolved else "firing",
        Labels(level.labels),
        Labels(level.annotations),
        moment(level.active_at if level.starts_at is None else level.starts_at, home),
        moment(level.ends_at if resolved else None, home),
        level.generator_url,
        fingerprint(level.labels),
    )

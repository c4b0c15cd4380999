"""The types of Prometheus's templates that the language does not have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.templates import numbers
from schemas.templates.errors import Unexpandable
from schemas.templates.running import Parameter
from schemas.templates.values import Slice, Typed, Value, no_field, text


@dataclass(frozen=True, slots=True, eq=False)
class Sample(Typed):
    """A series of a query's result."""

    go_type = "*template.sample"
    labels: dict[str, str]
    value: float

    def member(self, name: str) -> Value:
        """`Labels` or `Value`."""
        if name in {"Labels", "Value"}:
            return self.labels if name == "Labels" else self.value
        raise no_field(self, name)

    def shown(self) -> str:
        """Labels and value."""
        return f"{{{text(self.labels)} {text(self.value)}}}"


class QueryResult(Slice):
    """What `query` answers: samples."""

    go_type = "template.queryResult"


RESULT: Final = Parameter(QueryResult.go_type, nilable=True)
SAMPLE: Final = Parameter(Sample.go_type, nilable=True)


@dataclass(frozen=True, slots=True, eq=False)
class Time(Typed):
    """What `toTime` answers: milliseconds since 1970, in UTC."""

    go_type = "*time.Time"
    milliseconds: int

    def member(self, name: str) -> Value:
        """`String`, `Unix` or `UTC`."""
        match name:
            case "String":
                return self.shown()
            case "Unix":
                return self.milliseconds // 1000
            case "UTC":
                return self
        raise Unexpandable(f"method {name} of {self.go_type[1:]} is not supported")

    def shown(self) -> str:
        """As Go writes a time."""
        seconds, rest = divmod(self.milliseconds, 1000)
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        fraction = f".{rest:03d}".rstrip("0") if rest else ""
        return f"{when:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


@dataclass(frozen=True, slots=True, eq=False)
class Duration(Typed):
    """What `toDuration` answers."""

    go_type = "*time.Duration"
    nanoseconds: int

    def member(self, name: str) -> Value:
        """The duration as text or in some unit."""
        match name:
            case "String":
                return self.shown()
            case "Seconds":
                return self.nanoseconds / 1e9
            case "Minutes":
                return self.nanoseconds / 6e10
            case "Hours":
                return self.nanoseconds / 3.6e12
            case "Milliseconds":
                return int(self.nanoseconds / 1e6)
        raise Unexpandable(f"method {name} of {self.go_type[1:]} is not supported")

    def shown(self) -> str:
        """As Go writes a duration."""
        return numbers.duration(self.nanoseconds)


@dataclass(slots=True, eq=False)  # not frozen: one is made for every expansion
class Facts(Typed):
    """What a template may speak of: the dot, and what `$` is."""

    go_type = (
        "struct { Labels map[string]string; ExternalLabels map[string]string; "
        "ExternalURL string; Value interface {} }"
    )
    labels: Mapping[str, str]
    external_labels: Mapping[str, str]
    external_url: str
    value: float

    def member(self, name: str) -> Value:
        """A field."""
        match name:
            case "Labels":
                return self.labels
            case "Value":
                return self.value
            case "ExternalLabels":
                return self.external_labels
            case "ExternalURL":
                return self.external_url
        raise no_field(self, name)

    def shown(self) -> str:
        """All of them."""
        parts = (self.labels, self.external_labels, self.external_url, self.value)
        return "{" + " ".join(text(each) for each in parts) + "}"

    def variables(self) -> list[tuple[str, Value]]:
        """What a template has under names of its own."""
        return [
            ("$", self),
            ("$labels", self.labels),
            ("$externalLabels", self.external_labels),
            ("$externalURL", self.external_url),
            ("$value", self.value),
        ]


VARIABLES: Final = ("$", "$labels", "$externalLabels", "$externalURL", "$value")

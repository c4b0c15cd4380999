"""What the API and the console ask of the process they serve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from notifiers.matcher_mode import Mode
from ops.figures import Figures
from schemas.alerts import AlertState
from schemas.errors import TocsinError
from schemas.stage import Gap, Partition, Position, Publish, Record

if TYPE_CHECKING:
    from notifiers.explain.asked import Asked
    from notifiers.explain.live import AlertNow
    from notifiers.incidents.view import IncidentView
    from notifiers.oncall.book import MadeOverride
    from notifiers.view import GroupView, SilenceView
    from notifiers.windows.view import WindowView

Point = tuple[int, float]
"""Milliseconds since 1970, and a value."""
Series = tuple[Mapping[str, str], Sequence[Point]]

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class QueryFailed(TocsinError):
    """An expression that is well formed and has no answer on this data."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The value of an expression at one instant; a scalar is one sample without labels."""

    kind: Literal["vector", "scalar"]
    at: int
    samples: Sequence[tuple[Mapping[str, str], float]]


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How a stage is; without a vital one, nobody would be paged."""

    name: str
    healthy: bool
    ready: bool
    message: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    vital: bool = True


class AlertView(Protocol):
    """An alert as the router knows it."""

    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def annotations(self) -> Mapping[str, str]: ...
    @property
    def state(self) -> AlertState: ...
    @property
    def active_at(self) -> int: ...
    @property
    def starts_at(self) -> int | None: ...
    @property
    def ends_at(self) -> int | None: ...
    @property
    def value(self) -> float: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def generator_url(self) -> str: ...
    @property
    def silenced_by(self) -> Sequence[str]: ...
    @property
    def inhibited_by(self) -> Sequence[str]: ...
    @property
    def updated_at(self) -> int: ...
    @property
    def expires_at(self) -> int | None: ...
    @property
    def windows(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Routing:
    """The routing file in force, secrets and all where this process has it, and its grammar."""

    text: str
    mode: Mode = Mode.FALLBACK


class Records(Protocol):
    """Committed records; from any thread. Methods raise `LogAway` while the log does not answer."""

    def begin(self, partition: Partition) -> int:
        """The oldest offset that is still there."""
        ...

    def end(self, partition: Partition) -> int:
        """The offset that the next record will have."""
        ...

    def offset_at(self, partition: Partition, at: int) -> int:
        """The first offset appended at or after `at` (ms)."""
        ...

    def read(
        self, partition: Partition, offset: int, limit: int = 500
    ) -> tuple[list[Record], Gap | None]:
        """Records from `offset` on, at most `limit`, and what retention took before them."""
        ...


class Services(Protocol):
    """The process behind the server; every method may block, and is called from threads."""

    @property
    def publish(self) -> Publish:
        """The log's entrance for agents."""
        ...

    @property
    def figures(self) -> Figures:
        """What the process counts."""
        ...

    def alerts(self) -> Sequence[AlertView]:
        """Every alert that the router knows, whatever its state."""
        ...

    def groups(self) -> "Sequence[GroupView]":
        """Every group of alerts that the router has."""
        ...

    def silences(self) -> "Sequence[SilenceView]":
        """Every silence that the router knows, expired ones too."""
        ...

    def windows(self) -> "Sequence[WindowView]":
        """Every maintenance window that the router knows, those that are over too."""
        ...

    def overrides(self) -> "Sequence[MadeOverride]":
        """Every override of a schedule that was made by command, over or not."""
        ...

    def remembered(self, prefix: str) -> Mapping[str, bytes]:
        """The entries of the router's book with this prefix (heartbeat, drill, resend), by name."""
        ...

    @property
    def records(self) -> Records:
        """The log at any offset."""
        ...

    def incidents(self) -> "Sequence[IncidentView]":
        """Every incident that the router remembers, the newest first."""
        ...

    def explained(self, what: "Asked") -> "Sequence[AlertNow]":
        """How the alerts that are asked for stand, and why."""
        ...

    def history_rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Rows of history; raises `ops.history.errors.HistoryAway` while it does not answer."""
        ...

    def routing(self) -> Routing:
        """The routing file in force."""
        ...

    def now(self) -> int:
        """The log's clock, in ms."""
        ...

    def applied(self, position: Position, within: float) -> bool:
        """Wait until the router has taken what was appended there; False after `within` s."""
        ...

    def query(self, expr: str, at: int | None) -> QueryResult:
        """PromQL at an instant (ms; None is now).

        Raises `schemas.errors.Refused` for a bad expression, `QueryFailed` for one without an
        answer, `ops.history.errors.HistoryAway` while history does not answer.
        """
        ...

    def query_range(self, expr: str, start: int, end: int, step: int) -> Sequence[Series]:
        """PromQL at start, start + step, … up to end (ms); raises what `query` raises."""
        ...

    def status(self) -> Sequence[StageStatus]:
        """How every stage of the process is."""
        ...

    @property
    def as_of(self) -> int | None:
        """Up to when (ms, by the log's clock) what is answered holds; None is always now."""
        ...

    def cluster(self) -> Mapping[str, Any] | None:
        """How all workers are, as `ops.cluster.report` puts it; None where there is no cluster."""
        ...

    def reload(self) -> Sequence[str]:
        """Put rules and routes as they stand in the files into force; what is wrong with them."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call the server.

    `token` opens the agents' door, which stays shut without one. When `guarded`, everything but
    the probes asks for it. `hosts` are the names that a Host header may have, so that no web page
    reaches a loopback listener through a name of its own (DNS rebinding); empty means any.
    `origins` are other sites (HOST or HOST:PORT) whose pages are ours, as a proxy's may be.
    """

    token: str | None
    guarded: bool = False
    hosts: frozenset[str] = LOOPBACK_NAMES
    origins: frozenset[str] = frozenset()

"""A process for the server to serve: it answers from what the test gave it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notifiers.explain.asked import Asked
from notifiers.explain.live import AlertNow
from notifiers.incidents.view import IncidentView
from notifiers.oncall.book import MadeOverride
from notifiers.view import GroupView, SilenceView
from notifiers.windows.view import WindowView
from ops.figures import Figures
from ops.services import QueryResult, Routing, Series, StageStatus
from schemas.alerts import AlertState
from schemas.labels import fingerprint
from schemas.stage import Gap, Message, Partition, Position, Record

NOW = 1_750_000_000_000
NOWHERE = Routing("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")


@dataclass(frozen=True)
class FakeAlert:
    labels: Mapping[str, str]
    state: AlertState = AlertState.FIRING
    annotations: Mapping[str, str] = field(default_factory=dict)
    active_at: int = NOW - 60_000
    starts_at: int | None = NOW - 30_000
    ends_at: int | None = None
    value: float = 0.5

    generator_url: str = ""
    silenced_by: Sequence[str] = ()
    inhibited_by: Sequence[str] = ()
    updated_at: int = NOW - 10_000
    expires_at: int | None = None
    windows: Sequence[str] = ()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.labels)


class FakeLog:
    """Numbers what it is given; `fault` is raised instead."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.fault: Exception | None = None

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        if self.fault is not None:
            raise self.fault
        first = len(self.messages)
        self.messages += messages
        return [
            Position(Partition(message.topic, 0), first + number, NOW)
            for number, message in enumerate(messages)
        ]


class FakeRecords:
    """The records that a test put there, one partition of them."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.all = list(records)

    def begin(self, partition: Partition) -> int:
        return self.all[0].offset if self.all else 0

    def end(self, partition: Partition) -> int:
        return self.all[-1].offset + 1 if self.all else 0

    def offset_at(self, partition: Partition, at: int) -> int:
        later = (one.offset for one in self.all if one.appended_at >= at)
        return next(later, self.end(partition))

    def read(
        self, partition: Partition, offset: int, limit: int = 500
    ) -> tuple[list[Record], Gap | None]:
        return [one for one in self.all if one.offset >= offset][:limit], None


def _up(expr: str, at: int | None) -> QueryResult:
    return QueryResult("vector", at or NOW, [({"__name__": "up", "instance": "web-1"}, 1.0)])


@dataclass
class FakeServices:
    """Everything can be replaced by a test; nothing is remembered but what was published."""

    publish: FakeLog = field(default_factory=FakeLog)
    figures: Figures = field(default_factory=Figures)
    known: Sequence[FakeAlert] = ()
    stages: Sequence[StageStatus] = (StageStatus("router", healthy=True, ready=True),)
    problems: Sequence[str] = ()
    as_of: int | None = None
    report: Mapping[str, object] | None = None
    group_views: Sequence[GroupView] = ()
    silence_views: Sequence[SilenceView] = ()
    window_views: Sequence[WindowView] = ()
    made_overrides: Sequence[MadeOverride] = ()
    explains: Callable[[Asked], Sequence[AlertNow]] = lambda what: ()
    incident_views: Sequence[IncidentView] = ()
    rows: Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]] = lambda sql, params: []
    routes: Routing = NOWHERE
    takes: bool = True
    books: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    records: FakeRecords = field(default_factory=FakeRecords)
    answer: Callable[[str, int | None], QueryResult] = _up
    ranges: Callable[[str, int, int, int], Sequence[Series]] = lambda expr, start, end, step: [
        ({"instance": "web-1"}, [(t, 0.5) for t in range(start, end + 1, step)])
    ]

    def cluster(self) -> Mapping[str, object] | None:
        return self.report

    def groups(self) -> Sequence[GroupView]:
        return self.group_views

    def silences(self) -> Sequence[SilenceView]:
        return self.silence_views

    def windows(self) -> Sequence[WindowView]:
        return self.window_views

    def overrides(self) -> Sequence[MadeOverride]:
        return self.made_overrides

    def remembered(self, prefix: str) -> Mapping[str, bytes]:
        return self.books.get(prefix, {})

    def incidents(self) -> Sequence[IncidentView]:
        return self.incident_views

    def explained(self, what: Asked) -> Sequence[AlertNow]:
        return self.explains(what)

    def history_rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return self.rows(sql, params)

    def routing(self) -> Routing:
        return self.routes

    def now(self) -> int:
        return NOW

    def applied(self, position: Position, within: float) -> bool:
        return self.takes

    def alerts(self) -> Sequence[FakeAlert]:
        return self.known

    def query(self, expr: str, at: int | None) -> QueryResult:
        return self.answer(expr, at)

    def query_range(self, expr: str, start: int, end: int, step: int) -> Sequence[Series]:
        return self.ranges(expr, start, end, step)

    def status(self) -> Sequence[StageStatus]:
        return self.stages

    def reload(self) -> Sequence[str]:
        return self.problems

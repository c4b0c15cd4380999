"""What the server asks of a console on Kafka; see `ops.services.Services`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ops.cluster.report import report, stages_of
from ops.cluster.watch import Watch
from ops.figures import Figures, Reading
from ops.history.errors import HistoryAway
from ops.parts.shared import Shared
from ops.plans import routes_text
from ops.services import AlertView, QueryResult, Records, Routing, Series, StageStatus
from ops.transport.log import Log
from ops.workers.followers import Followers
from schemas.alerts import AlertState
from schemas.stage import Position, Publish

if TYPE_CHECKING:
    from notifiers.explain.asked import Asked
    from notifiers.explain.live import AlertNow
    from notifiers.incidents.view import IncidentView
    from notifiers.oncall.book import MadeOverride
    from notifiers.view import GroupView, SilenceView
    from notifiers.windows.view import WindowView
    from ops.history.clickhouse import History

RELOAD = "on Kafka the console reads no rules and routes: put them in force with tocsin apply"


class KafkaServices:
    """Alerts from the followers, how others are from the watch, history from its server."""

    def __init__(
        self,
        shared: Shared[Log],
        followers: Followers,
        watch: Watch,
        history: History | None,
        records: Records,
    ) -> None:
        self._records = records
        self._shared = shared
        self._followers = followers
        self._watch = watch
        self._history = history
        self.figures.register(self._measured)

    @property
    def publish(self) -> Publish:
        """Kafka, for agents that send over HTTP."""
        return self._shared.log

    @property
    def figures(self) -> Figures:
        """What the process counts."""
        return self._shared.figures

    @property
    def as_of(self) -> int | None:
        """Up to when alerts are known; 0 before any are."""
        return self._followers.as_of or 0

    def alerts(self) -> Sequence[AlertView]:
        """Every alert, as its router knows it."""
        return self._followers.alerts()

    def groups(self) -> Sequence[GroupView]:
        """Every group, as its router knows it."""
        return self._followers.groups()

    def silences(self) -> Sequence[SilenceView]:
        """Every silence, as the routers know it."""
        return self._followers.silences()

    def windows(self) -> Sequence[WindowView]:
        """Every maintenance window, as the routers know it."""
        return self._followers.windows()

    def overrides(self) -> Sequence[MadeOverride]:
        """Every override, as the routers know it."""
        return self._followers.overrides()

    def remembered(self, prefix: str) -> Mapping[str, bytes]:
        """Entries of the routers' books, as the followers know them."""
        return self._followers.remembered(prefix)

    @property
    def records(self) -> Records:
        """Kafka's records."""
        return self._records

    def incidents(self) -> Sequence[IncidentView]:
        """Every incident, as the routers know it."""
        return self._followers.incidents()

    def explained(self, what: Asked) -> Sequence[AlertNow]:
        """How alerts stand, as their router knows it."""
        return self._followers.explained(what, self.now())

    def history_rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Rows of a question to history in its own words."""
        return self._asked().rows(sql, params)

    def routing(self) -> Routing:
        """The routing file that this console has; what is in force came with `tocsin apply`."""
        settings = self._shared.settings
        return Routing(routes_text(settings.routes), settings.matchers)

    def now(self) -> int:
        """The log's clock."""
        return self._shared.log.clock()

    def applied(self, position: Position, within: float) -> bool:
        """Whether the follower has taken the record within that time."""
        return self._followers.applied(position, within)

    def query(self, expr: str, at: int | None) -> QueryResult:
        """PromQL over history at an instant."""
        from ops import queries

        history, defaults = self._asked(), queries.defaults_of(self._shared.settings)
        at = self._shared.log.clock() if at is None else at
        return queries.query(history, expr, at, defaults)

    def query_range(self, expr: str, start: int, end: int, step: int) -> Sequence[Series]:
        """PromQL over history, step by step."""
        from ops import queries

        defaults = queries.defaults_of(self._shared.settings)
        return queries.query_range(self._asked(), expr, start, end, step, defaults)

    def status(self) -> Sequence[StageStatus]:
        """This follower, and the stages of all workers."""
        facts, own = self._watch.facts(), self._followers.status()
        if facts is None:
            why = f"nothing is heard of the workers: {self._watch.fault}"
            return [own, StageStatus("workers", False, True, why, vital=False)]
        # Of consoles this one is told of by its follower, others keep nobody from being paged.
        return [own, *(stage for stage in stages_of(facts) if stage.name != "console")]

    def cluster(self) -> Mapping[str, Any] | None:
        """Everything that is known of the workers; None while that is nothing."""
        facts = self._watch.facts()
        return None if facts is None else report(facts)

    def reload(self) -> Sequence[str]:
        """Nothing that could be read anew is here."""
        return [RELOAD]

    def _asked(self) -> History:
        if self._history is None:
            raise HistoryAway("history.url is not set, so this console knows no history")
        return self._history

    def _measured(self) -> Iterator[Reading]:
        counts = Counter({AlertState.PENDING: 0, AlertState.FIRING: 0})
        counts.update(AlertState(alert.state) for alert in self.alerts())
        for state, count in counts.items():
            yield "tocsin_alerts", {"state": str(state)}, float(count)

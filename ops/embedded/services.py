"""What the server asks of the process beside it; see `ops.services.Services`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ops.access import access_of
from ops.embedded.process import Process
from ops.embedded.router_state import RouterState
from ops.figures import Figures, Reading
from ops.history.errors import HistoryAway
from ops.plans import routes_text
from ops.services import Access, AlertView, QueryResult, Records, Routing, Series, StageStatus
from ops.tokens import keep_token
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


class EmbeddedServices:
    """Reads committed state, asks history, says how everything is."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._router = RouterState(process.reader)
        self.figures.register(self._measured)

    @property
    def publish(self) -> Publish:
        """The log's entrance."""
        return self._process.shared.log

    @property
    def figures(self) -> Figures:
        """What the process counts."""
        return self._process.shared.figures

    @property
    def access(self) -> Access:
        """Who may call: on loopback anybody may look, and agents show the token."""
        settings = self._process.settings
        given = settings.token
        token = given.get_secret_value() if given else keep_token(self._process.token_file)
        return access_of(settings, token)

    def alerts(self) -> Sequence[AlertView]:
        """Every alert in the router's committed state."""
        from notifiers import view

        now = self.now()
        with self._router.known(now) as state:
            return view.shown(state, now)

    def groups(self) -> Sequence[GroupView]:
        """Every group in the router's committed state."""
        from notifiers import view

        now = self.now()
        with self._router.known(now) as state:
            return view.groups_shown(state, now)

    def silences(self) -> Sequence[SilenceView]:
        """Every silence in the router's committed state."""
        from notifiers import view

        return view.silences(self._router.entries("silence"), self.now())

    def windows(self) -> Sequence[WindowView]:
        """Every maintenance window in the router's committed state."""
        from notifiers.windows import view

        return view.windows(self._router.entries("window"), self.now())

    def overrides(self) -> Sequence[MadeOverride]:
        """Every override in the router's committed state."""
        from notifiers import view

        return view.overrides(self._router.entries("override"))

    def remembered(self, prefix: str) -> Mapping[str, bytes]:
        """Entries of the router's committed state."""
        from notifiers import view

        return view.remembered(self._router.entries(prefix), prefix)

    @property
    def records(self) -> Records:
        """The log."""
        return self._process.reader

    def incidents(self) -> Sequence[IncidentView]:
        """Every incident in the router's committed state."""
        from notifiers.incidents import view

        with self._router.known(self.now()) as state:
            return view.shown(state)

    def explained(self, what: Asked) -> Sequence[AlertNow]:
        """How alerts stand in the router's committed state."""
        from notifiers.explain.live import live

        now = self.now()
        with self._router.known(now) as state:
            return live(state, what, now)

    def history_rows(self, sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Rows of a question to history in its own words."""
        return self._history().rows(sql, params)

    def routing(self) -> Routing:
        """The routing file that was accepted last."""
        routes, settings = self._process.routes, self._process.settings
        return Routing(routes_text(None) if routes is None else routes.text, settings.matchers)

    def now(self) -> int:
        """The log's clock."""
        return self._process.shared.log.clock()

    def applied(self, position: Position, within: float) -> bool:
        """Whether the router takes and commits the record within that time."""
        for stage in self._process.stages:
            if stage.worker.name == "router":
                return stage.taken(position.offset, within)
        return False

    def query(self, expr: str, at: int | None) -> QueryResult:
        """PromQL over history at an instant."""
        from ops import queries

        now = self._process.shared.log.clock
        defaults = queries.defaults_of(self._process.settings)
        return queries.query(self._history(), expr, now() if at is None else at, defaults)

    def query_range(self, expr: str, start: int, end: int, step: int) -> Sequence[Series]:
        """PromQL over history, step by step."""
        from ops import queries

        defaults = queries.defaults_of(self._process.settings)
        return queries.query_range(self._history(), expr, start, end, step, defaults)

    def status(self) -> Sequence[StageStatus]:
        """Every part of the process."""
        process = self._process
        broken = process.shared.log.broken or ""
        found = [StageStatus("log", not broken, not broken, broken)]
        found += [stage.status() for stage in process.stages]
        if process.courier is not None:
            found.append(process.courier.status())
        if process.history is not None:
            found.append(process.history.status())
        if process.problems:
            first, rest = process.problems[0], len(process.problems) - 1
            more = f" and {rest} more" if rest else ""
            message = f"the files are not in force: {first}{more}"
            found.append(StageStatus("configuration", False, True, message, vital=False))
        return found

    @property
    def as_of(self) -> int | None:
        """Committed state is read at every call."""
        return None

    def cluster(self) -> None:
        """All there is is this process."""

    def reload(self) -> Sequence[str]:
        """Rules and routes anew."""
        return self._process.reload()

    def _history(self) -> History:
        if self._process.history is None:
            raise HistoryAway("this process keeps no history: it runs without the historian")
        return self._process.history.asked()

    def _measured(self) -> Iterator[Reading]:
        process = self._process
        log = process.shared.log
        yield "tocsin_log_bytes", {}, float(log.size())
        yield "tocsin_log_refused_total", {"reason": "full"}, float(log.refused)
        for topic, count in log.appended.items():
            yield "tocsin_log_appended_total", {"topic": topic}, float(count)
        for status in self.status():
            yield "tocsin_stage_healthy", {"stage": status.name}, float(status.healthy)
            if "lag" in status.figures:
                yield "tocsin_stage_lag_records", {"stage": status.name}, status.figures["lag"]
            if "watermark" in status.figures:
                name = "tocsin_stage_watermark_seconds"
                yield name, {"stage": status.name}, status.figures["watermark"]
        if process.history is not None:
            yield "tocsin_history_up", {}, float(process.history.up)
            yield "tocsin_history_restarts_total", {}, float(process.history.server.restarts)
        if process.agent is not None:
            for name, value in process.agent.figures().items():
                yield name, {}, value
        counts = Counter({AlertState.PENDING: 0, AlertState.FIRING: 0})
        counts.update(self._router.counted())
        for state, count in counts.items():
            yield "tocsin_alerts", {"state": str(state)}, float(count)

"""What a process counts of itself, and how Prometheus reads it."""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple, get_args

log = logging.getLogger("tocsin.figures")

FigureName = Literal[
    "tocsin_agent_batches_dropped_total",
    "tocsin_agent_batches_refused_total",
    "tocsin_agent_batches_resent_total",
    "tocsin_agent_batches_sent_total",
    "tocsin_agent_batches_spooled_total",
    "tocsin_agent_batches_waiting",
    "tocsin_agent_late_readings_total",
    "tocsin_agent_log_away",
    "tocsin_agent_missed_ticks_total",
    "tocsin_agent_reading_failures_total",
    "tocsin_agent_readings_total",
    "tocsin_agent_spool_bytes",
    "tocsin_agent_spool_damaged_total",
    "tocsin_alerts",
    "tocsin_alerts_invalid_total",
    "tocsin_dead_letters_total",
    "tocsin_deliveries_total",
    "tocsin_figure_failures_total",
    "tocsin_history_restarts_total",
    "tocsin_history_rows_total",
    "tocsin_history_up",
    "tocsin_log_appended_total",
    "tocsin_log_bytes",
    "tocsin_log_refused_total",
    "tocsin_plan_number",
    "tocsin_posts_refused_total",
    "tocsin_rule_failures_total",
    "tocsin_stage_events_total",
    "tocsin_stage_figure",
    "tocsin_stage_healthy",
    "tocsin_stage_lag_records",
    "tocsin_stage_ready",
    "tocsin_stage_watermark_seconds",
    "tocsin_start_time_seconds",
]


class Entry(NamedTuple):
    """Prometheus's type of a figure, and what it means."""

    kind: Literal["counter", "gauge"]
    help: str


CATALOGUE: Final[dict[FigureName, Entry]] = {
    "tocsin_agent_batches_dropped_total": Entry("counter", "Batches given up for want of room."),
    "tocsin_agent_batches_refused_total": Entry("counter", "Batches the log will never take."),
    "tocsin_agent_batches_resent_total": Entry("counter", "Batches sent from the spool."),
    "tocsin_agent_batches_sent_total": Entry("counter", "Batches the log has taken."),
    "tocsin_agent_batches_spooled_total": Entry("counter", "Batches written to the spool."),
    "tocsin_agent_batches_waiting": Entry("gauge", "Batches that wait to be sent."),
    "tocsin_agent_late_readings_total": Entry("counter", "Readings that came too late to be used."),
    "tocsin_agent_log_away": Entry("gauge", "Whether the log is away (1) or not (0)."),
    "tocsin_agent_missed_ticks_total": Entry("counter", "Readings not asked for in time."),
    "tocsin_agent_reading_failures_total": Entry("counter", "Readings that failed."),
    "tocsin_agent_readings_total": Entry("counter", "Readings that came."),
    "tocsin_agent_spool_bytes": Entry("gauge", "Bytes the agent's spool takes on disk."),
    "tocsin_agent_spool_damaged_total": Entry("counter", "Spooled batches not read back."),
    "tocsin_alerts": Entry("gauge", "Alerts now, by state."),
    "tocsin_alerts_invalid_total": Entry("counter", "Posted alerts that are not valid."),
    "tocsin_dead_letters_total": Entry("counter", "Records put aside, by stage and reason."),
    "tocsin_deliveries_total": Entry("counter", "Attempts to tell, by channel and fate."),
    "tocsin_figure_failures_total": Entry("counter", "Sources of figures that failed."),
    "tocsin_history_restarts_total": Entry("counter", "Restarts of the history process."),
    "tocsin_history_rows_total": Entry("counter", "Rows written to history, by table."),
    "tocsin_history_up": Entry("gauge", "Whether history answers (1) or not (0)."),
    "tocsin_log_appended_total": Entry("counter", "Records appended to the log, by topic."),
    "tocsin_log_bytes": Entry("gauge", "Bytes the log takes on disk."),
    "tocsin_log_refused_total": Entry("counter", "Appends the log refused, by reason."),
    "tocsin_plan_number": Entry("gauge", "The plan in force, by stage."),
    "tocsin_posts_refused_total": Entry("counter", "POSTs of alerts refused, by status."),
    "tocsin_rule_failures_total": Entry("counter", "Evaluations that failed, by rule."),
    "tocsin_stage_events_total": Entry("counter", "What stages met on the way, by event."),
    "tocsin_stage_figure": Entry("gauge", "What else a stage says of itself, by figure."),
    "tocsin_stage_healthy": Entry("gauge", "Whether a stage is healthy (1) or not (0)."),
    "tocsin_stage_lag_records": Entry("gauge", "Records a stage has yet to read."),
    "tocsin_stage_ready": Entry("gauge", "Whether a stage is ready (1) or not (0)."),
    "tocsin_stage_watermark_seconds": Entry("gauge", "A stage's now, in seconds since 1970."),
    "tocsin_start_time_seconds": Entry("gauge", "When the process started."),
}

Reading = tuple[str, Mapping[str, str], float]
Source = Callable[[], Iterable[Reading]]
_Key = tuple[tuple[str, str], ...]


class Figures:
    """Counters and gauges of one process; safe from any thread.

    A name that is not in the catalogue raises `KeyError`: it is a programmer's error.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, dict[_Key, float]] = {}
        self._sources: list[Source] = []

    def add(self, name: FigureName, amount: float = 1, **labels: str) -> None:
        """Count; also with 0, so that a counter is there before it first counts."""
        with self._lock:
            values = self._family(name)
            key = tuple(sorted(labels.items()))
            values[key] = values.get(key, 0.0) + amount

    def set(self, name: FigureName, value: float, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._family(name)[tuple(sorted(labels.items()))] = float(value)

    def add_counts(self, counts: Mapping[str, int], **labels: str) -> None:
        """Add the counts of a stage's step, whose names no type checks: the unknown is logged."""
        for name, amount in counts.items():
            if name in get_args(FigureName):
                self.add(name, amount, **labels)  # type: ignore[arg-type]  # checked above
            else:
                log.error("figure unknown", extra={"figure": name})
                self.add("tocsin_figure_failures_total")

    def register(self, source: Source) -> None:
        """Ask this source at every reading; it answers with (name, labels, value)."""
        with self._lock:
            self._sources.append(source)

    def value(self, name: FigureName, **labels: str) -> float:
        """One figure as it is now; 0 if nothing was ever counted."""
        with self._lock:
            return self._family(name).get(tuple(sorted(labels.items())), 0.0)

    def render(self) -> str:
        """Prometheus's text format, in the catalogue's order."""
        pulled = self._pull()
        with self._lock:
            found = {name: dict(values) for name, values in self._values.items()}
        for name, labels, value in pulled:
            found.setdefault(name, {})[tuple(sorted(labels.items()))] = value
        lines: list[str] = []
        for name, entry in CATALOGUE.items():
            values = found.get(name)
            if values:
                lines += [f"# HELP {name} {entry.help}", f"# TYPE {name} {entry.kind}"]
                lines += [f"{name}{_labels(key)} {number(v)}" for key, v in sorted(values.items())]
        return "\n".join(lines) + "\n" if lines else ""

    def _family(self, name: str) -> dict[_Key, float]:
        if name not in CATALOGUE:
            raise KeyError(f"{name} is not in the catalogue of ops/figures.py")
        return self._values.setdefault(name, {})

    def _pull(self) -> list[Reading]:
        with self._lock:
            sources = tuple(self._sources)
        pulled: list[Reading] = []
        for source in sources:
            try:
                readings = [r for r in source() if CATALOGUE[r[0]]]  # type: ignore[index]  # str
            except Exception:
                # One broken source must not hide every other figure.
                log.exception("figures not read")
                self.add("tocsin_figure_failures_total")
            else:
                pulled += readings
        return pulled


def number(value: float) -> str:
    """A float as Prometheus writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _labels(key: _Key) -> str:
    inner = ",".join(f'{name}="{_escape(value)}"' for name, value in key)
    return f"{{{inner}}}" if inner else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""From answers to rows of the page: pure, so that what people see is tested without a browser."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops.services import AlertView, QueryResult, Series, StageStatus
from schemas.alerts import AlertState

SILENT_AFTER: Final = 60_000
"""Milliseconds after which a host that says nothing is called silent."""
MAX_LINES: Final = 30
MUCH: Final = 100
"""Records of lag, from which on it is told."""

_HOSTS = 'last_over_time(up{job="node"}[1h])'
HOST_COLUMNS: Final[Mapping[str, str]] = {
    "up": _HOSTS,
    "seen": 'timestamp(up{job="node"})',
    "cpu": '100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m])))',
    "memory": "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
    "disk": "max by (instance) (100 * (1 - node_filesystem_avail_bytes"
    " / node_filesystem_size_bytes))",
    "load": "node_load1",
}
"""What the hosts table asks, by column."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What the chart can show."""

    title: str
    expr: str
    unit: str
    top: float | None = None


METRICS: Final[Mapping[str, Metric]] = {
    "cpu": Metric("CPU", HOST_COLUMNS["cpu"], "%", 100),
    "memory": Metric("Memory", HOST_COLUMNS["memory"], "%", 100),
    "disk": Metric("Disk", HOST_COLUMNS["disk"], "%", 100),
    "network": Metric(
        "Network",
        "sum by (instance) (rate(node_network_receive_bytes_total[1m]))"
        " + sum by (instance) (rate(node_network_transmit_bytes_total[1m]))",
        "B/s",
    ),
}

_STATES = {AlertState.FIRING: 0, AlertState.PENDING: 1}
NOWHERE: Final[Mapping[str, str]] = {"incident": "", "incident_state": "", "whose": ""}
"""What the row of an alert says that is in no incident."""
_NONE: Final[Mapping[str, Mapping[str, str]]] = {}
_SEVERITIES = ("critical", "high", "medium", "low", "info")


def alert_rows(
    alerts: Sequence[AlertView], now: int, incidents: Mapping[str, Mapping[str, str]] = _NONE
) -> list[dict[str, Any]]:
    """The alerts that are on: firing before pending, the worst first, then the oldest.

    `incidents` are what each alert's row says of its incident, by fingerprint.
    """
    live = sorted((a for a in alerts if a.state in _STATES), key=_alert_order)
    return [
        {**_alert_row(alert, now), **incidents.get(alert.fingerprint, NOWHERE)} for alert in live
    ]


def _alert_order(alert: AlertView) -> tuple[int, int, int, str]:
    severity = alert.labels.get("severity", "")
    rank = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return (_STATES[alert.state], rank, alert.active_at, alert.fingerprint)


def _alert_row(alert: AlertView, now: int) -> dict[str, Any]:
    labels, notes = alert.labels, alert.annotations
    severity = labels.get("severity", "")
    since = alert.starts_at if alert.state is AlertState.FIRING else alert.active_at
    return {
        "id": alert.fingerprint,
        "state": str(alert.state),
        "severity": severity or "none",
        # A class of the sheet: from a closed set, whatever the label says.
        "look": severity if severity in _SEVERITIES else "other",
        "alert": labels.get("alertname", ""),
        "service": labels.get("service") or labels.get("job", ""),
        "instance": labels.get("instance", ""),
        "summary": notes.get("summary") or notes.get("description", ""),
        "since": ago(now - (since or alert.active_at)),
        "value": figure(alert.value),
    }


def host_rows(answers: Mapping[str, QueryResult], now: int) -> list[dict[str, Any]]:
    """One row a host, by name; what nobody measured is None."""
    columns = {name: _by_instance(answer) for name, answer in answers.items()}
    hosts = sorted({host for column in columns.values() for host in column if host})
    return [_host_row(host, columns, now) for host in hosts]


def _host_row(host: str, columns: Mapping[str, Mapping[str, float]], now: int) -> dict[str, Any]:
    def of(column: str) -> float | None:
        value = columns.get(column, {}).get(host)
        return None if value is None or not math.isfinite(value) else value

    seen = of("seen")
    quiet = None if seen is None else now - round(seen * 1_000)
    state = "up" if of("up") else "down"
    if quiet is None or quiet > SILENT_AFTER:
        state = "silent"
    row: dict[str, Any] = {"id": host, "instance": host, "state": state}
    for column in ("cpu", "memory", "disk"):
        value = of(column)
        row[column] = None if value is None else min(100.0, max(0.0, value)) / 100
        row[f"{column}_text"] = "–" if value is None else f"{value:.1f} %"
        row[f"{column}_colour"] = _level(value)
    load = of("load")
    row["load"] = "–" if load is None else f"{load:.2f}"
    row["seen"] = "over 5m ago" if quiet is None else f"{ago(quiet)} ago"
    return row


def _by_instance(answer: QueryResult) -> dict[str, float]:
    return {labels.get("instance", ""): value for labels, value in answer.samples}


def _level(percent: float | None) -> str:
    if percent is None or percent < 70:
        return "teal-6"
    return "amber-8" if percent < 90 else "red-7"


def line_series(series: Sequence[Series]) -> list[dict[str, Any]]:
    """ECharts' lines, one a host; a gap is a gap."""
    named = sorted((labels.get("instance") or "all", points) for labels, points in series)
    return [
        {
            "id": host,
            "name": host,
            "type": "line",
            "showSymbol": False,
            "lineStyle": {"width": 2},
            "emphasis": {"focus": "series"},
            "data": [[t, round(v, 3) if math.isfinite(v) else None] for t, v in points],
        }
        for host, points in named[:MAX_LINES]
    ]


def health_word(stages: Sequence[StageStatus]) -> tuple[str, str, str]:
    """The header's word, its colour, and which stages are the reason."""
    ill = [stage for stage in stages if not stage.healthy]
    slow = [stage for stage in stages if stage.healthy and not stage.ready]
    if any(stage.vital for stage in ill):
        return "Unhealthy", "negative", _names(ill)
    if ill:
        return "Degraded", "warning", _names(ill)
    if slow or not stages:
        return "Starting", "grey-7", _names(slow)
    return "Healthy", "positive", ""


def _names(stages: Sequence[StageStatus]) -> str:
    return "; ".join(f"{s.name}: {s.message}" if s.message else s.name for s in stages)


def stage_rows(stages: Sequence[StageStatus]) -> list[dict[str, str]]:
    """One a stage: its name, how it is in a word of the sheet, and what it has to do."""
    return [
        {
            "name": stage.name,
            "state": _colour(stage),
            "does": _does(stage),
        }
        for stage in stages
    ]


def _colour(stage: StageStatus) -> str:
    if not stage.healthy and stage.vital:
        return "down"
    return "up" if stage.healthy and stage.ready else "silent"


def _does(stage: StageStatus) -> str:
    workers, lag = stage.figures.get("workers"), stage.figures.get("lag")
    word = "unhealthy" if not stage.healthy else "ready" if stage.ready else "starting"
    count = "" if workers is None else f"{workers:.0f} worker{'' if workers == 1 else 's'}"
    # A few records are always on their way; a number that never stands still says nothing.
    behind = f"lag {lag:,.0f}" if lag is not None and lag >= MUCH else ""
    return " · ".join(part for part in (word, count, behind) if part)


def figure(value: float) -> str:
    """A number for people: four digits that matter."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0 or 0.001 <= abs(value) < 100_000:
        return f"{value:.4g}"
    return f"{value:.3g}"


def ago(milliseconds: int) -> str:
    """How long, in the largest unit and the next."""
    seconds = max(0, milliseconds // 1_000)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3_600:
        return f"{seconds // 60}m {seconds % 60}s"
    if seconds < 86_400:
        return f"{seconds // 3_600}h {seconds % 3_600 // 60}m"
    return f"{seconds // 86_400}d {seconds % 86_400 // 3_600}h"

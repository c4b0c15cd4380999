"""Events to rows of history: pure, one collector for each partition of a topic."""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.corrections import Corrections
from schemas.alerts import AlertBatch, AlertState, PostedAlerts
from schemas.checks import CheckResult
from schemas.deliveries import Decision, Delivery, Receipt, Why
from schemas.envelope import Envelope
from schemas.errors import Reason, Undecodable
from schemas.incidents import IncidentChanged
from schemas.labels import Labels, fingerprint, series_id, without_name
from schemas.metrics import MetricBatch
from schemas.pairs import unpacked
from schemas.series import unpack_series

Column = Sequence[object] | NDArray[np.generic]
Columns = Mapping[str, Column]
SEEN_AGAIN = 3_600_000
"""ms after which a series that is still there is written once more, with its new `last_seen`."""
BLOCKS = 20_000


@dataclass(slots=True)
class _Block:
    ids: NDArray[np.uint64]
    labels: tuple[Labels, ...]
    told_at: int | None = None


@dataclass(slots=True)
class _Samples:
    series: list[NDArray[np.uint64]]
    time: list[NDArray[np.int64]]
    value: list[NDArray[np.float64]]
    origins: list[tuple[int, int, int]]  # offset, append time, how many


class Collector:
    """Gathers the rows of consecutive records of one partition, until `take`.

    Times of samples are those that the detector sees: corrected by the producer's clock error,
    and at most the append time. What retention would drop at once is dropped here, counted.
    """

    def __init__(self, retention: int, corrections: Corrections | None = None) -> None:
        self._retention = retention
        self._corrections = corrections or Corrections()
        self._blocks: OrderedDict[bytes, _Block] = OrderedDict()
        self.counts: Counter[str] = Counter()
        self._clear()

    def emptied(self) -> "Collector":
        """A collector for the same records again: it corrects their times as this one did."""
        return Collector(self._retention, self._corrections)

    def _clear(self) -> None:
        self._samples = _Samples([], [], [], [])
        self._rows: dict[str, list[dict[str, object]]] = {}
        self._first: tuple[int, int] | None = None
        self._last: tuple[int, int] = (0, 0)
        self.rows = 0

    def add(self, offset: int, appended: int, envelope: Envelope) -> None:
        """Take a record's event; raises `Undecodable` when its columns do not fit together."""
        event = envelope.event
        origin = {"offset": offset, "appended": appended}
        if isinstance(event, MetricBatch):
            self._add_samples(offset, appended, envelope, event)
        elif isinstance(event, CheckResult):
            self._row("checks", _check(event), origin)
        elif isinstance(event, AlertBatch):
            for row in _alerts(event):
                self._row("alerts", row, origin)
        elif isinstance(event, PostedAlerts):
            for row in _posted(event):
                self._row("alerts", row, origin)
        elif isinstance(event, Decision):
            self._row("decisions", _decision(event), origin)
        elif isinstance(event, IncidentChanged):
            self._row("incidents", _incident(event), origin)
        elif isinstance(event, Delivery):
            self._row("deliveries", _delivery(event), origin)
        elif isinstance(event, Receipt):
            self._row("deliveries", _receipt(event), origin)

    def pass_by(self, offset: int, appended: int) -> None:
        """Count a record as read, whether it had rows or not."""
        if self._first is None:
            self._first = (offset, appended)
        self._last = (offset, appended)

    def take(self) -> Iterator[tuple[str, Columns]]:
        """The rows so far by table, series before their samples; then begin anew."""
        samples, rows, count = self._samples, self._rows, self.rows
        first, last = self._first, self._last
        self._clear()
        for table in ("series", "checks", "alerts", "decisions", "deliveries", "incidents"):
            if table in rows:
                yield table, {key: [row[key] for row in rows[table]] for key in rows[table][0]}
        if samples.origins:
            yield "samples", _sample_columns(samples)
        if first is not None and count:
            yield (
                "batches",
                {
                    "time": [first[1]],
                    "offset": [first[0]],
                    "appended": [last[1]],
                    "last_offset": [last[0]],
                    "rows": [count],
                },
            )

    def _row(self, table: str, row: dict[str, object], origin: dict[str, int]) -> None:
        self._rows.setdefault(table, []).append(row | origin)
        self.rows += 1

    def _add_samples(
        self, offset: int, appended: int, envelope: Envelope, batch: MetricBatch
    ) -> None:
        block = self._block(batch)
        values: NDArray[np.float64] = np.frombuffer(batch.values, "<f8")
        ids = block.ids
        if batch.index:
            index = np.frombuffer(batch.index, "<u4")
            if index.max(initial=0) >= len(ids):
                raise Undecodable(Reason.INVALID_COLUMNS, "index points behind the last series")
            ids = ids[index]
        elif len(values) != len(ids):
            raise Undecodable(Reason.INVALID_COLUMNS, f"{len(values)} values for {len(ids)} series")
        correction = self._corrections.of(envelope, appended)
        times = np.frombuffer(batch.times, "<i8") + correction.shift
        times = np.minimum(times, correction.latest)
        if len(times) == 1:
            times = np.repeat(times, len(values))
        kept = times > appended - self._retention
        if not kept.all():
            self.counts["expired"] += int((~kept).sum())
            ids, times, values = ids[kept], times[kept], values[kept]
        if block.told_at is None or appended - block.told_at > SEEN_AGAIN:
            self._tell_series(offset, appended, block)
        if len(values):
            samples = self._samples
            samples.series.append(ids)
            samples.time.append(times)
            samples.value.append(values)
            samples.origins.append((offset, appended, len(values)))
            self.rows += len(values)

    def _tell_series(self, offset: int, appended: int, block: _Block) -> None:
        block.told_at = appended
        for number, labels in zip(block.ids, block.labels, strict=True):
            row: dict[str, object] = {
                "id": int(number),
                "name": dict(labels)["__name__"],
                "labels": dict(without_name(labels)),
                "first_seen": appended,
                "last_seen": appended,
            }
            self._row("series", row, {"offset": offset, "appended": appended})

    def _block(self, batch: MetricBatch) -> _Block:
        block = self._blocks.get(batch.series)
        if block is None:
            labels = unpack_series(batch.series)
            block = _Block(np.array([series_id(each) for each in labels], np.uint64), labels)
            self._blocks[batch.series] = block
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(batch.series)
        return block


def _sample_columns(samples: _Samples) -> Columns:
    offsets, appended, counts = (np.array(part) for part in zip(*samples.origins, strict=True))
    return {
        "series": np.concatenate(samples.series),
        "time": np.concatenate(samples.time),
        "value": np.concatenate(samples.value),
        "offset": np.repeat(offsets.astype(np.uint64), counts),
        "appended": np.repeat(appended, counts),
    }


def _check(event: CheckResult) -> dict[str, object]:
    return {
        "time": event.at,
        "instance": event.instance,
        "check": event.check,
        "target": event.target,
        "status": str(event.status),
        "duration": event.duration,
        "message": event.message,
        "labels": event.labels,
    }


def _alerts(event: AlertBatch) -> Iterator[dict[str, object]]:
    for level in event.alerts:
        told = level.model_dump()
        yield _alert(told, event.decided_at, event.source, event.plan)


def _posted(event: PostedAlerts) -> Iterator[dict[str, object]]:
    at = event.decided_at
    for labels, notes, starts_at, ends_at, url in zip(
        *(event.labels, event.annotations, event.starts_at, event.ends_at, event.generator_urls),
        strict=True,
    ):
        over = ends_at is not None and ends_at <= at
        told = {
            "labels": unpacked(labels),
            "annotations": unpacked(notes),
            "state": AlertState.RESOLVED if over else AlertState.FIRING,
            "active_at": starts_at,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "value": 0.0,
            "changed": True,
            "reason": "",
            "generator_url": url,
        }
        yield _alert(told, at, "api", 0)


def _alert(told: dict[str, Any], at: int, source: str, plan: int) -> dict[str, object]:
    labels = told["labels"]
    return {
        **told,
        "state": str(told["state"]),
        "decided_at": at,
        "fingerprint": fingerprint(labels),
        "name": labels.get("alertname", ""),
        "source": source,
        "plan": plan,
    }


def _decision(event: Decision) -> dict[str, object]:
    return {
        "time": event.at,
        "id": event.id,
        "group_key": event.group_key,
        "receiver": event.receiver,
        "integration": event.integration,
        "decision": "keep quiet" if event.why is Why.NOTHING else "tell",
        "reason": str(event.why),
        "delivery": event.delivery,
        "firing": list(event.firing),
        "resolved": list(event.resolved),
        "channel": event.channel,
        "route": list(event.route),
        "held": [alert for held in event.held for alert in held.alerts],
        "causes": [list(held.causes) for held in event.held for _ in held.alerts],
        "due": event.due,
        "repeat_at": event.repeat_at,
        "incident": event.incident,
        "unnamed": max(0, event.unnamed),
    }


def _incident(event: IncidentChanged) -> dict[str, object]:
    return {
        "time": event.at,
        "incident": event.incident,
        "number": event.number,
        "what": event.what,
        "by": event.by,
        "detail": event.detail,
        "state": str(event.state),
        "group_key": event.group_key,
        "receiver": event.receiver,
        "labels": event.labels,
        "opened_at": event.opened_at,
        "acknowledged_at": event.acknowledged_at,
        "resolved_at": event.resolved_at,
        "false_positive": event.false_positive,
    }


def _delivery(event: Delivery) -> dict[str, object]:
    return {
        "at": event.decided_at,
        "delivery": event.id,
        "status": "intended",
        "attempt": event.attempt,
        "tries": 0,
        "group_key": event.group_key,
        "receiver": event.receiver,
        "integration": event.integration,
        "channel": event.channel,
        "duration": 0.0,
        "retry_at": None,
        "reason": str(event.why),
        "detail": "",
        "alerts": list(event.told.fingerprints),
    }


def _receipt(event: Receipt) -> dict[str, object]:
    return {
        "at": event.at,
        "delivery": event.delivery,
        "status": str(event.fate),
        "attempt": event.attempt,
        "tries": event.tries,
        "group_key": event.group_key,
        "receiver": event.receiver,
        "integration": event.integration,
        "channel": event.channel,
        "duration": event.duration,
        "retry_at": event.retry_at,
        "reason": event.reason,
        "detail": event.detail,
        "alerts": [],
    }

"""The tables' columns as types: what a writer gives, for code that has no SQL before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final  # pyarrow has no types

import numpy as np
import pyarrow as pa

_MS: Final = pa.timestamp("ms", tz="UTC")
_MAP: Final = pa.map_(pa.string(), pa.string())
_NAMES: Final = pa.list_(pa.string())

Column = Sequence[Any] | np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its name, the columns that its rows bring, and the one that gives their day.

    `offset` and `appended` are among the columns; topic and partition belong to a whole block.
    """

    name: str
    time: str
    schema: pa.Schema

    def rows(self, columns: Mapping[str, Column]) -> pa.Table:
        """Rows from lists or numpy arrays; times are integers, milliseconds since 1970.

        Mappings (labels) are dicts or lists of pairs. Every column must be there, and no other.
        """
        if unknown := columns.keys() ^ set(self.schema.names):
            raise ValueError(f"{self.name}: columns {sorted(unknown)} are missing or unknown")
        arrays = [_array(columns[field.name], field.type) for field in self.schema]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def _array(column: Column, kind: pa.DataType) -> pa.Array:
    if kind == _MS:
        if isinstance(column, np.ndarray):
            return pa.array(column.astype(np.int64, copy=False)).cast(_MS)
        return pa.array(column, pa.int64()).cast(_MS)
    if kind == _MAP:
        column = [list(item.items()) if isinstance(item, Mapping) else item for item in column]
    return pa.array(column, kind)


def _table(name: str, time: str, /, **columns: pa.DataType) -> Table:
    origin = {"offset": pa.uint64(), "appended": _MS}
    return Table(name, time, pa.schema(list((columns | origin).items())))


SAMPLES: Final = _table("samples", "time", series=pa.uint64(), time=_MS, value=pa.float64())
SERIES: Final = _table(
    "series",
    "last_seen",
    id=pa.uint64(),
    name=pa.string(),
    labels=_MAP,  # without __name__
    first_seen=_MS,
    last_seen=_MS,
)
CHECKS: Final = _table(
    "checks",
    "time",
    time=_MS,
    instance=pa.string(),
    check=pa.string(),
    target=pa.string(),
    status=pa.string(),
    duration=pa.float64(),  # seconds
    message=pa.string(),
    labels=_MAP,
)
ALERTS: Final = _table(
    "alerts",
    "decided_at",
    decided_at=_MS,
    fingerprint=pa.string(),
    name=pa.string(),  # the label alertname
    state=pa.string(),
    active_at=_MS,
    starts_at=_MS,  # None where it never fired
    ends_at=_MS,  # None while it stands
    value=pa.float64(),
    changed=pa.bool_(),
    reason=pa.string(),
    labels=_MAP,
    annotations=_MAP,
    source=pa.string(),
    plan=pa.uint64(),
    generator_url=pa.string(),
)
DECISIONS: Final = _table(
    "decisions",
    "time",
    time=_MS,
    id=pa.string(),
    group_key=pa.string(),
    receiver=pa.string(),
    integration=pa.uint16(),
    decision=pa.string(),  # "tell" or "keep quiet"
    reason=pa.string(),  # schemas.deliveries.Why
    delivery=pa.string(),
    firing=_NAMES,
    resolved=_NAMES,
    channel=pa.string(),
    route=_NAMES,  # matchers, from the root on
    held=_NAMES,  # fingerprints
    causes=pa.list_(_NAMES),  # of each in `held`
    due=_MS,
    repeat_at=_MS,
    incident=pa.string(),
    unnamed=pa.uint64(),
)
DELIVERIES: Final = _table(
    "deliveries",
    "at",
    at=_MS,
    delivery=pa.string(),
    status=pa.string(),  # "intended", or schemas.deliveries.Fate
    attempt=pa.uint32(),
    tries=pa.uint32(),
    group_key=pa.string(),
    receiver=pa.string(),
    integration=pa.uint16(),
    channel=pa.string(),
    duration=pa.float64(),  # seconds
    retry_at=_MS,
    reason=pa.string(),
    detail=pa.string(),
    alerts=_NAMES,  # fingerprints
)
INCIDENTS: Final = _table(
    "incidents",
    "time",
    time=_MS,
    incident=pa.string(),
    number=pa.uint32(),  # of the line in the incident's timeline
    what=pa.string(),  # schemas.incidents.What, or schemas.deliveries.Fate
    by=pa.string(),
    detail=pa.string(),
    state=pa.string(),  # after this line
    group_key=pa.string(),
    receiver=pa.string(),
    labels=_MAP,
    opened_at=_MS,
    acknowledged_at=_MS,  # None while nobody has it
    resolved_at=_MS,
    false_positive=pa.bool_(),
)
BATCHES: Final = _table(
    "batches",
    "time",
    time=_MS,  # append time of the block's first record; `appended` is the last's
    last_offset=pa.uint64(),
    rows=pa.uint32(),
)

TABLES: Final = {
    table.name: table
    for table in (SAMPLES, SERIES, CHECKS, ALERTS, DECISIONS, DELIVERIES, INCIDENTS, BATCHES)
}

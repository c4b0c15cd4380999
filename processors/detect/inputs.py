"""What detectors take in: an expression's values by row, and the hours that people live by."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import AfterValidator

from processors.detect.kind import Compile
from processors.detect.model import Complaint
from processors.detect.reading import read
from processors.detect.sheet import HOUR, Sheet
from processors.promql.columns import Floats, Rows, Source
from processors.promql.errors import Refused
from processors.promql.plan import Plan
from processors.promql.tree import Kind


def _zone(name: str) -> str:
    try:
        _info(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise ValueError("unknown time zone: write for example Europe/Berlin") from fault
    return name


def _info(name: str) -> tzinfo:
    # So that a machine without time zones has one.
    return UTC if name == "UTC" else ZoneInfo(name)


Zone: TypeAlias = Annotated[str, AfterValidator(_zone)]


def compiled(expr: str, compile_: Compile, path: str = "expr") -> Plan:
    """The plan of an option's expression; raises `Complaint`."""
    try:
        plan = compile_(expr)
    except Refused as fault:
        raise Complaint((path,), f"could not use expression: {fault}", repr(expr)) from fault
    if plan.kind not in {Kind.SCALAR, Kind.VECTOR}:
        raise Complaint((path,), "expression is not a vector or scalar", repr(expr))
    return plan


def finite(plan: Plan, source: Source, at: int, sheet: Sheet) -> tuple[Rows, Floats]:
    """Rows and values of the series that have a number at an instant; raises EvaluationFailed."""
    vector = read(plan, source, at)
    here, rows = sheet.rows(vector)
    values = vector.values[here]
    usable = np.isfinite(values)
    return (rows, values) if usable.all() else (rows[usable], values[usable])


class Hours:
    """Hours by number, counted from a Monday at midnight where the zone's people live."""

    def __init__(self, zone: str) -> None:
        self._zone = _info(zone)

    def number(self, at: int) -> int:
        """The number of the hour that an instant (ms) lies in; 168 of them are a week."""
        offset = datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone).utcoffset()
        local = at + (offset or timedelta(0)) // timedelta(milliseconds=1)
        return local // HOUR + 72  # 1 January 1970 was a Thursday

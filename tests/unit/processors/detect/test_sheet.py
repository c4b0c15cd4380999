"""Sheets: rows that come and go, and what a restart knows of them."""

import numpy as np
import pytest

from processors.detect.sheet import HOUR, Layout, Sheet
from processors.promql.columns import SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.vector import Vector

LAYOUTS = (Layout("ring", 4, fill=np.nan), Layout("plain", fields=2))


def vector(*names: str) -> Vector:
    series = SeriesSet(tuple((("i", name),) for name in names))
    return Vector(series, np.zeros(len(names)), np.ones(len(names), np.bool_))


class Kept:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.sheet = self.restored()

    def restored(self, limit: int = 3) -> Sheet:
        return Sheet(LAYOUTS, self.kept, limit, 2 * HOUR)

    def write(self, at: int, *names: str, value: float) -> dict[str, bytes | None]:
        sheet = self.sheet
        sheet.begin(at)
        rows = sheet.rows(vector(*names))[1]
        column = at // HOUR % 4
        sheet["ring"].clear(column, at)[0, rows] = value
        sheet["ring"].touch(column)
        sheet.clock = at
        changes = sheet.changes()
        for key, packed in changes.items():
            if packed is None:
                del self.kept[key]
            else:
                self.kept[key] = packed
        return changes


def same(one: Sheet, other: Sheet) -> bool:
    def known(sheet: Sheet) -> dict[str, list[float]]:
        rows = {labels[0][1]: row for row, labels in enumerate(sheet.labels) if labels is not None}
        return {
            name: np.nan_to_num(sheet["ring"].values[:, 0, row], nan=-1).tolist()
            for name, row in rows.items()
        }

    return known(one) == known(other) and one.clock == other.clock


def test_a_restart_knows_what_was_written() -> None:
    kept = Kept()
    kept.write(HOUR, "b", "a", value=1)
    kept.write(2 * HOUR, "a", value=2)
    assert same(kept.sheet, kept.restored())
    assert [labels for labels in kept.sheet.labels if labels] == [(("i", "a"),), (("i", "b"),)]


def test_a_step_writes_the_column_it_changed() -> None:
    kept = Kept()
    kept.write(HOUR, "a", value=1)
    assert set(kept.write(HOUR + 1, "a", value=2)) == {"ring/1", "clock"}


def test_a_row_that_is_free_again_says_nothing_of_the_one_before() -> None:
    kept = Kept()
    kept.write(HOUR, "a", "b", value=1)
    for hour in range(2, 5):
        kept.write(hour * HOUR, "b", value=hour)
    kept.write(5 * HOUR, "b", "c", value=9)
    assert kept.sheet.labels[0] == (("i", "c"),)
    again = kept.restored()
    assert same(kept.sheet, again)
    assert np.isnan(again["ring"].values[[0, 2, 3], 0, 0]).all()


def test_more_series_than_the_limit_fail_and_change_nothing() -> None:
    kept = Kept()
    with pytest.raises(EvaluationFailed, match="more than 3 series: raise max_series"):
        kept.write(HOUR, *"abcd", value=1)
    assert len(kept.sheet) == 0
    assert kept.write(HOUR, *"abc", value=1)


def test_labels_without_bounds_fail() -> None:
    with pytest.raises(EvaluationFailed, match="more than 8000 bytes of labels"):
        Kept().write(HOUR, "x" * 8001, value=1)


def test_what_another_layout_wrote_is_passed_over() -> None:
    kept = Kept()
    kept.write(HOUR, "a", value=1)
    kept.kept["ring/1"] = kept.kept["ring/1"] + b"12345678"
    assert np.isnan(kept.restored()["ring"].values).all()

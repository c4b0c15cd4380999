"""What a partition gathers for spanning groups: what it costs to know who selects what."""

from itertools import pairwise

import numpy as np
import pytest

from processors import gathering as module
from processors import numbering
from processors.evaluator import RunningGroup
from processors.gathering import Gathering, Origin
from processors.promql.labels import Labels
from processors.promql.selector import Selector
from processors.requests import Request, request_of
from processors.rules.file import load
from schemas.gathered import Gathered
from schemas.labels import labels_of
from schemas.metrics import metric_batch
from schemas.series import unpack_series

STEP = 15_000
AT = 1_700_000_010_000


def request(expr: str, step: int = STEP, name: str = "g") -> Request:
    text = f"groups: [{{name: {name}, rules: [{{alert: A, expr: '{expr}'}}]}}]"
    return request_of(RunningGroup("f", load(text, "f").groups[0], step))


def series(count: int, run: int = 0, metric: str = "m") -> list[Labels]:
    return [
        labels_of({"__name__": metric, "instance": "a", "n": str(n), "run": str(run)})
        for n in range(count)
    ]


def take(gathering: Gathering, labels: list[Labels], at: int) -> None:
    values = [float(n) for n in range(len(labels))]
    gathering.take(metric_batch("a", labels, values, [at]), np.array([at]))


Sent = dict[tuple[Labels, int], float]


def sent(gathering: Gathering, at: int) -> dict[str, Sent]:
    """What goes out at the instant: for each group the values, by series and time."""
    outputs, _ = gathering.send(at, at + 1, False, Origin(0, 2, 1, 1))
    found: dict[str, Sent] = {}
    for output in outputs:
        event = output.event
        if isinstance(event, Gathered):
            labels = unpack_series(event.series)
            index = np.frombuffer(event.index, "<u4").tolist()
            times = np.frombuffer(event.times, "<i8").tolist()
            values = np.frombuffer(event.values, "<f8").tolist()
            keys = [(labels[row], time) for row, time in zip(index, times, strict=True)]
            found.setdefault(event.group, {}).update(zip(keys, values, strict=True))
    return found


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Labels]:
    """The series that selectors were asked about, one by one."""
    asked: list[Labels] = []
    accepts = Selector.accepts

    def counted(selector: Selector, labels: dict[str, str]) -> bool:
        asked.append(labels_of(labels))
        return accepts(selector, labels)

    monkeypatch.setattr(Selector, "accepts", counted)
    return asked


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many series each block had that was unpacked."""
    sizes: list[int] = []

    def counted(block: bytes) -> tuple[Labels, ...]:
        found = unpack_series(block)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(module, "unpack_series", counted)
    return sizes


def test_a_series_is_not_shown_to_groups_of_other_metrics(checks: list[Labels]) -> None:
    gathering = Gathering([request(f"sum(m{n}) > 1", name=f"g{n}") for n in range(50)], {})
    take(gathering, series(20, metric="unwanted"), AT - 5)
    assert not checks
    take(gathering, series(20, metric="m7"), AT - 5)
    assert len(checks) == 20
    assert len(sent(gathering, AT)["f:g7"]) == 20


def test_an_unselected_series_is_checked_once(checks: list[Labels]) -> None:
    gathering = Gathering([request('sum(m{job="x"} or m{n="none"} or m{run!="0"}) > 1')], {})
    take(gathering, series(20), AT - 5)
    before = len(checks)
    assert before >= 20
    take(gathering, [*series(20), *series(1, run=1)], AT - 4)
    assert set(checks[before:]) == set(series(1, run=1))


def test_only_so_many_unselected_series_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "UNSELECTED", 10)
    gathering = Gathering([request("sum(m) > 1")], {})
    take(gathering, series(30, metric="unwanted"), AT - 5)
    assert len(gathering._numbering._unselected) == 10


def test_a_steady_set_is_numbered_once(
    monkeypatch: pytest.MonkeyPatch, unpacked: list[int]
) -> None:
    monkeypatch.setattr(numbering, "SERIES", 10)
    gathering = Gathering([request("sum(m) > 1")], {})
    for at in range(AT, AT + 200 * STEP, STEP):
        take(gathering, series(50), at - 5)
        assert sent(gathering, at)["f:g"] == {
            (each, at - 5): n for n, each in enumerate(series(50))
        }
    assert unpacked == [50]


def test_series_that_come_and_go_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow group holds samples of series that are gone, while others take their numbers."""
    monkeypatch.setattr(numbering, "SERIES", 100)
    monkeypatch.setattr(numbering, "IDLE", 2 * STEP)
    slow = request('sum(max_over_time(m{n="3"}[20m])) > 1', step=20 * STEP, name="slow")
    gathering = Gathering([slow, request("sum(m) > 1")], {})
    waiting: Sent = {}
    numbers = []
    steady = series(5, run=-1)[4:]
    slow_sent = 0
    for run, at in enumerate(range(AT, AT + 200 * STEP, STEP)):
        labels = series(20, run)
        take(gathering, labels, at - 5)
        take(gathering, steady, at - 4)
        waiting[labels[3], at - 5] = 3.0
        gathering.send(at - 1, at, False, Origin(0, 2, 1, 1))  # nothing is due, samples wait
        found = sent(gathering, at)
        expected = {(each, at - 5): float(n) for n, each in enumerate(labels)}
        assert found["f:g"] == expected | {(steady[0], at - 4): 0.0}
        if slow.instants(at, at + 1):
            assert found["f:slow"] == waiting
            waiting.clear()
            slow_sent += 1
        numbers.append(len(gathering._numbering.labels))
    assert slow_sent == 10
    assert max(numbers) <= 2 * (20 + 3 * 20 + 1) + 20  # twice those held and in use, and the newest
    assert sum(after < before for before, after in pairwise(numbers)) > 10

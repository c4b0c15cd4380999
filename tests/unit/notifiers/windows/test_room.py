"""The router's memory of what people make by command is bounded, whoever writes to the log."""

import pytest

from notifiers.oncall import book as overrides
from notifiers.windows import book as windows
from schemas.oncall import OverrideSet
from tests.unit.notifiers.scenario import Scenario, seconds
from tests.unit.notifiers.windows.making import wish

ROUTES = "route: {receiver: r}\nreceivers: [{name: r}]\n"


def override(name: str, start: float, end: float) -> OverrideSet:
    return OverrideSet(id=name, schedule="s", user="ada", start=seconds(start), end=seconds(end))


def test_of_windows_that_are_over_the_oldest_goes_and_none_that_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "MOST", 2)
    day = Scenario(ROUTES)
    day.at(0, wish(0, 100, id="a")).at(0, wish(0, 50, id="b")).at(10, wish(0, 900, id="c"))
    assert day.counts["window refused"] == 1
    assert {one.window.id for one in day.router.windows()} == {"a", "b"}
    day.at(20, wish(0, 120, id="a")).at(200, wish(0, 900, id="c"))
    assert {one.window.id for one in day.router.windows()} == {"a", "c"}
    day.restart()
    assert {one.window.id for one in day.router.windows()} == {"a", "c"}
    assert day.counts["window refused"] == 1


def test_of_overrides_that_are_over_the_oldest_goes_and_none_that_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overrides, "MOST", 2)
    day = Scenario(ROUTES)
    day.at(0, override("a", 0, 100), override("b", 0, 50), override("c", 0, 900))
    assert day.counts["override refused"] == 1
    day.at(60, override("c", 0, 900))
    assert {one.id for one in day.router.overrides()} == {"a", "c"}
    day.restart()
    assert {one.id for one in day.router.overrides()} == {"a", "c"}
    day.at(70, override("d", 0, 900), override("a", 0, 80))
    assert {one.id for one in day.router.overrides()} == {"a", "c"}
    assert day.counts["override refused"] == 2

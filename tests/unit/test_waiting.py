"""Waiting ends: soon on a quiet machine, later on a busy one."""

import os

import pytest

from tests.support.waiting import MOST_PATIENT, NeverCame, eventually, patience


@pytest.mark.parametrize(
    ("load", "times"), [(0.0, 1.0), (2.0, 1.0), (5.0, 2.5), (100.0, MOST_PATIENT)]
)
def test_who_waits_has_more_patience_with_a_busy_machine(
    load: float, times: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert patience() == times


def test_what_never_comes_is_told_with_the_last_reason() -> None:
    def not_yet() -> bool:
        raise AssertionError("still dark")

    with pytest.raises(NeverCame, match="still dark"):
        eventually(not_yet, within=0.01)
    assert eventually(lambda: 7, within=0.0) == 7

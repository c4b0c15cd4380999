"""What the log's clock does when the machine's is wrong."""

import time

import pytest

from ops.transport.log_clock import LogClock, since_boot


class Machine:
    def __init__(self) -> None:
        self.wall = 1_000_000
        self.passed = 0.0
        self.clock = LogClock(lambda: self.wall, lambda: self.passed)

    def pass_time(self, seconds: float) -> int:
        self.wall += int(seconds * 1000)
        self.passed += seconds
        return self.clock()


def test_it_is_the_wall_clock_while_that_goes_forward() -> None:
    machine = Machine()
    assert machine.pass_time(5) == 1_005_000
    machine.wall += 86_400_000
    assert machine.clock() == 87_405_000


def test_after_a_jump_ahead_and_back_it_goes_on_at_the_pace_of_time() -> None:
    machine = Machine()
    machine.wall += 86_400_000
    ahead = machine.clock()
    machine.wall -= 86_400_000
    assert machine.clock() == ahead
    assert machine.pass_time(60) == ahead + 60_000


def test_it_takes_up_the_wall_clock_again_once_that_has_caught_up() -> None:
    machine = Machine()
    machine.clock.at_least(1_010_000)
    assert machine.pass_time(2) == 1_012_000
    machine.wall += 20_000
    assert machine.clock() == 1_022_000


def test_a_log_from_the_future_is_gone_on_with() -> None:
    machine = Machine()
    machine.clock.at_least(5_000_000)
    assert machine.clock() == 5_000_000
    assert machine.pass_time(1) == 5_001_000


def test_a_log_from_the_past_changes_nothing() -> None:
    machine = Machine()
    machine.clock.at_least(5)
    assert machine.clock() == 1_000_000


def test_where_the_system_has_no_clock_since_boot_the_monotonic_one_will_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    before = time.monotonic()
    assert before <= since_boot() <= time.monotonic()

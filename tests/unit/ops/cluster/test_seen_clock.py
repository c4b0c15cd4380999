"""An operator's clock that is wrong, beside a fleet that lives, or does not."""

import pytest

from ops.cluster.seen_clock import CLOSE, WAITS, SeenClock

TRUE = 1_750_000_000_000


class World:
    """Brokers, somebody who speaks every ten seconds, and a machine `ahead` ms of them."""

    def __init__(self, ahead: int, *, lives: bool = True, last: int = 3_000) -> None:
        self.now = TRUE
        self.ahead = ahead
        self.last = TRUE - last
        self.lives = lives
        self.waited = 0.0

    def wall(self) -> int:
        return self.now + self.ahead

    def wait(self, seconds: float) -> None:
        self.waited += seconds
        self.now += int(seconds * 1000)

    def newest(self) -> int:
        while self.lives and self.last + 10_000 <= self.now:
            self.last += 10_000
        return self.last

    def off(self) -> int:
        """By how many ms the clock is wrong after it looked."""
        clock = SeenClock(self.wall, self.wait)
        clock.look(self.newest)
        return clock() - self.now


@pytest.mark.parametrize("ahead", [120_000, -120_000, 3_600_000, -20_000, 15_000])
def test_a_clock_that_is_wrong_is_put_right_by_who_speaks(ahead: int) -> None:
    assert abs(World(ahead).off()) <= 500


@pytest.mark.parametrize("ahead", [0, 5_000, -2_000])
def test_a_clock_that_is_about_right_waits_for_nobody(ahead: int) -> None:
    world = World(ahead)
    assert world.off() == ahead
    assert not world.waited
    assert abs(ahead) < CLOSE


def test_where_nobody_lives_the_machine_is_believed() -> None:
    world = World(0, lives=False, last=3_600_000)
    assert world.off() == 0
    assert world.waited == WAITS


def test_a_clock_is_never_behind_what_was_appended() -> None:
    assert World(-120_000, lives=False, last=1_000).off() == -1_000


def test_an_empty_cluster_says_nothing() -> None:
    world = World(120_000)
    clock = SeenClock(world.wall, world.wait)
    clock.look(lambda: -1)
    assert clock() == world.wall()

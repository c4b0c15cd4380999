"""With `suppression: tocsin` no page is lost, and whoever was paged hears of the end.

Whatever alerts, silences, inhibition, muted times, restarts and answers of receivers do:
once it has been quiet for a while, what fires and is not muted is known to fire, and nothing that
is over is believed to fire. `tocsin alerts explain` says the same as what the receiver believes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.explain.asked import Asked
from notifiers.explain.live import Standing
from schemas.alerts import AlertState
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.labels import fingerprint
from tests.unit.notifiers.scenario import Scenario, batch, level, receipt, seconds
from tests.unit.notifiers.stored import explained

ROUTES = """
route:
  receiver: ops
  group_by: [g]
  group_wait: 5s
  group_interval: 20s
  repeat_interval: 10m
  routes:
  - {matchers: ['g="1"'], receiver: ops, mute_time_intervals: [night]}
receivers: [{name: ops, webhook_configs: [{url: 'http://x/'}]}]
inhibit_rules:
- {source_matchers: ['alertname=A0'], target_matchers: ['alertname=~"A[12]"']}
time_intervals:
- {name: night, time_intervals: [{times: [{start_time: '22:15', end_time: '22:18'}]}]}
suppression: tocsin
"""
"""The log begins at 22:13:20 UTC, so the night is from 100 s to 280 s."""
QUIET = 1_800
NIGHT = (100.0, 280.0)


@dataclass
class World:
    """What happens, and what follows from it by the words of the documentation alone."""

    day: Scenario
    firing: dict[str, float] = field(default_factory=dict)
    silences: dict[str, tuple[str, float, float]] = field(default_factory=dict)
    at: float = 0

    def toggle(self, name: str) -> None:
        labels = labels_of(name)
        if name in self.firing:
            since = self.firing.pop(name)
            self.day.at(self.at, batch(self.at, level("resolved", self.at, since, **labels)))
        else:
            self.firing[name] = self.at
            self.day.at(self.at, batch(self.at, level("firing", self.at, **labels)))

    def silence(self, pattern: str, length: float) -> None:
        name = f"s{len(self.silences)}"
        self.silences[name] = (pattern, self.at, self.at + length)
        matcher = SilenceMatcher(name="alertname", operator="=~", value=pattern)
        self.day.at(
            self.at,
            SilenceSet(
                id=name,
                sets=((matcher,),),
                starts_at=seconds(self.at),
                ends_at=seconds(self.at + length),
                created_by="ada",
                comment="",
            ),
        )

    def expire(self) -> None:
        for name, (pattern, start, end) in self.silences.items():
            if end > self.at:
                self.silences[name] = (pattern, start, self.at)
                self.day.at(self.at, SilenceExpired(id=name))

    def is_muted(self, name: str) -> bool:
        """Whether something hides the alert now."""
        if any(
            start <= self.at < end and pattern in {"A.*", name}
            for pattern, start, end in self.silences.values()
        ):
            return True
        if name in {"A1", "A2"} and "A0" in self.firing:
            return True
        return labels_of(name)["g"] == "1" and NIGHT[0] <= self.at < NIGHT[1]


def labels_of(name: str) -> dict[str, str]:
    return {"alertname": name, "g": str(int(name[1:]) % 2)}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, list[Delivery]]:
    """A world after some events, quiet since; and the deliveries that arrived, in order."""
    fates = st.sampled_from([Fate.DELIVERED, Fate.DELIVERED, Fate.REFUSED, Fate.RETRY, None])
    arrived: list[Delivery] = []
    calm = False

    def courier(delivery: Delivery, at: int) -> Receipt | None:
        fate = Fate.DELIVERED if calm else draw(fates)
        if fate is Fate.DELIVERED:
            arrived.append(delivery)
        return None if fate is None else receipt(delivery, at, fate, retry_at=at)

    world = World(Scenario(ROUTES, courier=courier))
    acts: list[Callable[[], None]] = [
        lambda: world.toggle(draw(st.sampled_from(["A0", "A1", "A2", "A3"]))),
        lambda: world.toggle(draw(st.sampled_from(["A0", "A1", "A2", "A3"]))),
        lambda: world.silence(
            draw(st.sampled_from(["A.*", "A1", "A3"])),
            draw(st.sampled_from([3.0, 17.0, 90.0, 400.0, 100_000.0])),
        ),
        world.expire,
    ]
    for _ in range(draw(st.integers(1, 20))):
        world.at += draw(st.sampled_from([0.5, 3.0, 7.0, 21.0, 60.0]))
        world.day.until(world.at)
        draw(st.sampled_from(acts))()
        if draw(st.booleans()):
            world.day.restart()
    calm = True
    world.at += QUIET
    world.day.until(world.at)
    return world, arrived


def believed(arrived: list[Delivery]) -> dict[str, int | None]:
    """Which alerts the receiver takes to be firing, with the start of the life it heard of."""
    known: dict[str, int | None] = {}
    for delivery in arrived:
        for one in delivery.alerts:
            name = one.labels["alertname"]
            if one.state is AlertState.FIRING:
                known[name] = one.starts_at
            else:
                known.pop(name, None)
    return known


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_no_page_is_lost_and_an_end_follows_every_page(made: tuple[World, list[Delivery]]) -> None:
    world, arrived = made
    known = believed(arrived)
    for name, since in world.firing.items():
        if not world.is_muted(name):
            assert known.get(name) == seconds(since), f"{name} fires and nobody knows"
    over = known.keys() - world.firing.keys()
    assert not over, f"{over} are over and nobody was told"


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_explain_says_what_the_receiver_believes(made: tuple[World, list[Delivery]]) -> None:
    world, arrived = made
    known = believed(arrived)
    entries = list(world.day.state.items())
    for name in world.firing:
        what = Asked(fingerprint=fingerprint(labels_of(name)))
        [now] = explained(entries, what, seconds(world.at))
        [way] = now.ways
        [channel] = way.channels
        assert bool(channel.held) == world.is_muted(name)
        assert (channel.standing is Standing.HELD) == world.is_muted(name)
        if not channel.held:
            assert (channel.standing, name in known) == (Standing.TOLD, True)


def test_the_law_would_notice_a_page_that_is_lost() -> None:
    """With Alertmanager's suppression an end under a silence is told to nobody."""
    day = Scenario(ROUTES.replace("suppression: tocsin", "suppression: alertmanager"))
    world = World(day, at=1)
    world.toggle("A3")
    world.at = 30
    world.day.until(30)
    world.silence("A3", 100_000)
    world.at = 40
    world.toggle("A3")
    day.until(QUIET)
    with pytest.raises(AssertionError):
        assert not believed([sent for _, sent in day.deliveries])

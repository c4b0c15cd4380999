"""The laws of storms, on days in which anything happens.

*Nothing is lost*: once it is quiet, whoever is owed a page or a resolve has it. *Never too much*:
no window of the limit holds more messages than it allows. *Nothing depends on luck*: a router that
is restarted anywhere, or reads its log in other batches, says the same.

All this however many lines of a digest are done at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.storms import digest
from schemas.alerts import AlertState
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.labels import fingerprint
from tests.unit.notifiers.scenario import START, Scenario, batch, level, receipt

LIMIT, PER = 2, 30
ROUTES = """
route:
  receiver: hook
  group_by: [{by}]
  group_wait: 2s
  group_interval: 10s
  repeat_interval: 300h
receivers:
- name: hook
  rate_limit: {{messages: 2, per: 30s}}
  webhook_configs: [{{url: 'http://x/'}}]
{more}
"""
DEPENDENCIES = """
dependencies:
- {parent: [alertname=a], child: [alertname=~"b|c"], grace: 7s, lookback: 15s}
- {parent: [alertname=c], child: [alertname=d], grace: 7s, lookback: 15s}
"""
FLAPS = "flap_detection: {changes: 4, within: 40s, stable: 20s}\n"
NAMES = "abcdefgh"
Doing = tuple[str, int, str]
"""Fires, ends, waits or restarts; how long before; which alert."""

doings = st.lists(
    st.tuples(
        st.sampled_from(["fires", "fires", "ends", "waits", "restart"]),
        st.integers(0, 12),
        st.sampled_from(NAMES),
    ),
    min_size=1,
    max_size=40,
)
files = st.builds(
    lambda by, dependent, flapping: ROUTES.format(
        by=by, more=DEPENDENCIES * dependent + FLAPS * flapping
    ),
    st.sampled_from(["alertname", "'...'", "g"]),
    st.booleans(),
    st.booleans(),
)


@pytest.fixture(scope="module", params=[1, 2, digest.AT_ONCE], autouse=True)
def at_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """How many lines of a digest are done in one step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest, "AT_ONCE", request.param)
        yield


@dataclass
class Luck:
    """A courier whose attempts end as they were drawn, and in the end all well."""

    fates: list[Fate]
    arrived: list[tuple[int, Delivery]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def __call__(self, delivery: Delivery, at: int) -> Receipt:
        fate = self.fates.pop() if self.fates else Fate.DELIVERED
        if fate is Fate.DELIVERED:
            self.arrived.append((at, delivery))
        return receipt(delivery, at, fate, retry_at=at + 1_000)


def played(text: str, script: list[Doing], luck: Luck, *, restarts: bool) -> Scenario:
    """The day, and a quiet hour after it."""
    day, now, since = Scenario(text, courier=luck), 1.0, dict[str, float]()
    for what, wait, name in script:
        now += wait
        if what == "fires" and name not in since:
            since[name] = now
            day.at(now, batch(now, level("firing", now, alertname=name, g="x")))
        elif what == "ends" and name in since:
            began = since.pop(name)
            day.at(now, batch(now, level("resolved", now, began, alertname=name, g="x")))
        elif what == "waits":
            day.until(now + 10 * wait)
            now += 10 * wait
        elif what == "restart" and restarts:
            day.until(now).restart()
    return day.until(now + 3_600)


def last_words(luck: Luck) -> dict[str, AlertState]:
    """What the receiver believes of each alert."""
    believed: dict[str, AlertState] = {}
    for _, delivery in luck.arrived:
        for one in delivery.alerts:
            believed[fingerprint(one.labels)] = one.state
    return believed


@settings(max_examples=30, deadline=None)
@given(files, doings, st.lists(st.sampled_from([Fate.DELIVERED, *Fate]), max_size=12))
def test_nothing_is_lost(text: str, script: list[Doing], fates: list[Fate]) -> None:
    luck = Luck(fates)
    day = played(text, script, luck, restarts=True)
    believed = last_words(luck)
    fires = {one.fingerprint: one for one in day.router.alerts() if one.state is AlertState.FIRING}
    parents = {one.labels["alertname"] for one in fires.values()}
    for name, alert in fires.items():
        if "dependencies" in text and is_explained(alert.labels["alertname"], parents, day):
            continue
        assert believed.get(name) is AlertState.FIRING, f"{alert.labels} was never told"
    for name, state in believed.items():
        if state is AlertState.FIRING:
            assert name in fires, f"the end of {name} was never told"


def is_explained(name: str, firing: set[str], day: Scenario) -> bool:
    """Whether one of the parents that the file declares may hold it: they are few."""
    above = {"b": "a", "c": "a", "d": "ac"}.get(name, "")
    return any(parent in firing for parent in above)


@settings(max_examples=30, deadline=None)
@given(files, doings, st.booleans())
def test_no_window_holds_more_messages_than_the_limit(
    text: str, script: list[Doing], refuses: bool
) -> None:
    luck = Luck([Fate.REFUSED] * 5 if refuses else [])
    day = played(text, script, luck, restarts=True)
    sent = sorted(START + round(at * 1_000) for at, _ in day.deliveries)
    for first, beyond in zip(sent, sent[LIMIT:], strict=False):
        assert beyond - first >= PER * 1_000


@settings(max_examples=20, deadline=None)
@given(files, doings, st.lists(st.sampled_from([Fate.DELIVERED, *Fate]), max_size=12))
def test_restarts_change_nothing(text: str, script: list[Doing], fates: list[Fate]) -> None:
    restarts_change_nothing(text, script, fates)


def restarts_change_nothing(text: str, script: list[Doing], fates: list[Fate]) -> None:
    """A day with restarts and one without are the same."""
    undisturbed = played(text, script, Luck(list(fates)), restarts=False)
    restarted = played(text, script, Luck(list(fates)), restarts=True)
    assert restarted.deliveries == undisturbed.deliveries
    assert restarted.decisions == undisturbed.decisions
    assert entries(restarted) == entries(undisturbed)


def entries(day: Scenario) -> dict[str, bytes]:
    """What is remembered; which of the two journals is the next is of no account."""
    return {key: value for key, value in day.state.items() if not key.startswith("journal/")}

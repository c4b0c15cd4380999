"""What storms and maintenance hold is explained, too."""

from notifiers.explain.asked import Asked
from notifiers.explain.live import ChannelNow, Standing
from schemas.commands import SilenceMatcher
from schemas.windows import WindowSet
from tests.unit.notifiers.scenario import Scenario, fp, seconds
from tests.unit.notifiers.stored import explained

ROUTES = """
route: {receiver: ops, group_by: [alertname], group_wait: 0s, group_interval: 10s}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}]
suppression: tocsin
"""
"""The day begins at 22:13:20 UTC."""


def channel(day: Scenario, at: float, **labels: str) -> ChannelNow:
    [found] = explained(day.state.items(), Asked(labels=labels), seconds(at))
    [way] = found.ways
    [one] = way.channels
    return one


def test_a_rate_limit_says_when_its_digest_is_due() -> None:
    limit = "rate_limit: {messages: 1, per: 1m}\n"
    day = Scenario(ROUTES + limit).fires(1, "a").fires(2, "b").until(5)
    found = channel(day, 5, alertname="b")
    assert (found.standing, found.told_at) == (Standing.HELD, None)
    assert found.text == "held by the rate limit of ops for its next digest, due at 22:14:21"
    assert [one.cause for one in found.held] == ["limit/ops"]
    day.until(120)
    assert [at for at, _ in day.deliveries] == [1, 61]


def test_a_child_is_explained_by_its_parent() -> None:
    family = "dependencies: [{parent: [service=db], child: [service=api], equal: []}]\n"
    day = Scenario(ROUTES + family).fires(1, "D", service="db").fires(2, "A", service="api")
    found = channel(day.until(20), 20, alertname="A")
    assert found.text == "explained by D (service=db), on which it depends"
    assert [one.cause for one in found.held] == [f"parent/{fp(alertname='D', service='db')}"]


def test_what_flaps_says_until_when_it_is_damped() -> None:
    damping = "flap_detection: {changes: 3, within: 5m, stable: 2m}\n"
    day = Scenario(ROUTES + damping)
    for at in range(10, 60, 20):
        day.fires(at, "A").resolves(at + 10, "A", since=at)
    found = channel(day, 65, alertname="A")
    assert [(one.cause, one.until) for one in found.held] == [("flapping", seconds(180))]
    assert found.text.endswith("its changes are held until 22:16:20 at least, for it flaps")


def test_a_maintenance_window_says_whose_it_is_and_until_when() -> None:
    matcher = SilenceMatcher(name="alertname", operator="=", value="A")
    window = WindowSet(
        id="w1",
        sets=((matcher,),),
        owner="ada",
        comment="new disks",
        starts_at=seconds(0),
        ends_at=seconds(2_800),
    )
    day = Scenario(ROUTES).at(1, window).fires(2, "A").until(30)
    found = channel(day, 30, alertname="A")
    assert found.text == "in the maintenance window w1 of ada until 23:00: new disks"
    assert [(one.cause, one.until) for one in found.held] == [("window/w1", seconds(2_800))]
    assert [one.causes for one in day.decisions[-1].held] == [("window/w1",)]

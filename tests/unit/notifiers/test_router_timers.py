from schemas.deliveries import Why
from tests.unit.notifiers.scenario import Scenario, Told, batch, level, seconds

ROUTES = """
route:
  {receiver: ops, group_by: [service], group_wait: 30s, group_interval: 5m, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}]
"""


def test_a_group_is_told_group_wait_after_its_first_alert() -> None:
    day = Scenario(ROUTES).fires(10, "A").fires(20, "B").until(1_000)
    assert day.told() == [Told(40, "ops", Why.FIRST, "A B", "")]


def test_alerts_of_other_labels_are_told_apart() -> None:
    day = Scenario(ROUTES).fires(1, "A", service="x").fires(2, "B", service="y").until(100)
    assert [(one.at, one.firing) for one in day.told()] == [(31, "A"), (32, "B")]
    assert day.deliveries[0][1].group_key == '{}:{service="x"}'


def test_a_new_alert_waits_for_the_next_tick_of_its_group() -> None:
    day = Scenario(ROUTES).fires(10, "A").fires(50, "B").until(1_000)
    assert day.told_briefly() == [(40, Why.FIRST, "A"), (340, Why.GREW, "A B")]


def test_what_resolves_before_group_wait_is_never_told() -> None:
    day = Scenario(ROUTES).fires(10, "A").resolves(30, "A", since=10).until(5_000)
    assert day.told() == []
    assert [one.why for one in day.decisions] == [Why.NOTHING]
    assert not [key for key in day.state if key.startswith(("group/", "outbox/"))]


def test_a_resolve_is_told_at_the_next_tick() -> None:
    day = Scenario(ROUTES).fires(10, "A", "B").resolves(60, "A", since=10)
    day.resolves(400, "B", since=10).until(5_000)
    assert day.told() == [
        Told(40, "ops", Why.FIRST, "A B", ""),
        Told(340, "ops", Why.SOME_RESOLVED, "B", "A"),
        Told(640, "ops", Why.ALL_RESOLVED, "", "B"),
    ]


def test_a_repeat_comes_at_the_first_tick_after_the_interval() -> None:
    day = Scenario(ROUTES).fires(10, "A").until(10_000)
    assert day.told_briefly() == [
        (40, Why.FIRST, "A"),
        (40 + 3_900, Why.REPEAT, "A"),
        (40 + 7_800, Why.REPEAT, "A"),
    ]


def test_group_wait_0_tells_in_the_same_step() -> None:
    day = Scenario(ROUTES.replace("30s", "0s")).fires(10, "A", "B")
    assert day.told() == [Told(10, "ops", Why.FIRST, "A B", "")]


def test_an_alert_that_has_long_fired_does_not_wait_again() -> None:
    day = Scenario(ROUTES).at(100, batch(100, level("firing", 100, since=10, alertname="A")))
    assert day.told_briefly() == [(100, Why.FIRST, "A")]


def test_ticks_missed_in_an_outage_are_one_flush_and_the_rhythm_goes_on() -> None:
    day = Scenario(ROUTES).fires(10, "A").until(40)
    day.now = 1_000
    day.fires(1_000, "B").until(1_300)
    flushes = [one for one in day.decisions if one.why is not Why.NOTHING]
    assert [one.at for one in flushes] == [seconds(40), seconds(1_240)]
    nothing = [one.at for one in day.decisions if one.why is Why.NOTHING]
    assert nothing == [seconds(940)]


def test_a_refiring_within_the_interval_says_nothing() -> None:
    day = Scenario(ROUTES).fires(10, "A").resolves(50, "A", since=10).fires(60, "A").until(1_000)
    assert day.told_briefly() == [(40, Why.FIRST, "A")]


def test_firing_again_after_the_group_ended_is_a_first_notification() -> None:
    day = Scenario(ROUTES).fires(10, "A").resolves(50, "A", since=10).fires(400, "A").until(600)
    whys = [why for _, why, _ in day.told_briefly()]
    assert whys == [Why.FIRST, Why.ALL_RESOLVED, Why.FIRST]


def test_an_alert_nobody_announces_any_more_goes_on_firing() -> None:
    day = Scenario(ROUTES).fires(10, "A").until(86_400)
    assert day.told()[-1].firing == "A"
    assert len(day.told()) > 20

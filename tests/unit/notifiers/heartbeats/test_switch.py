"""The dead man's switch on virtual time: said while the router decides, and never made up for."""

from notifiers.alert_script import read_script
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.heartbeats.switch import KEY, LONGEST_WAIT
from notifiers.simulator import Simulator
from schemas.deliveries import Delivery, Fate, Receipt, Why
from tests.unit.notifiers.scenario import (
    Scenario,
    is_lost,
    plan,
    postpones,
    receipt,
    refuses,
    seconds,
)
from tests.unit.notifiers.test_courier import World

ROUTES = """
route: {{receiver: r, group_wait: 0s, group_interval: 10s}}
receivers:
- {{name: r, webhook_configs: [{{url: 'http://x/'}}]}}
- {{name: out, webhook_configs: [{{url: 'http://x/'}}, {{url: 'http://y/'}}]}}
{switch}
"""
EVERY = "dead_mans_switch: {receiver: out, interval: 60s}"
WATCHED = "dead_mans_switch: {receiver: out, interval: 60s, require: detector, within: 90s}"


def routes(switch: str = EVERY) -> str:
    return ROUTES.format(switch=switch)


def said(day: Scenario, channel: int = 0) -> list[float]:
    return [
        at for at, one in day.deliveries if one.why is Why.HEARTBEAT and one.integration == channel
    ]


def test_it_speaks_at_every_interval_to_every_channel() -> None:
    day = Scenario(routes()).until(200)
    assert said(day) == said(day, 1) == [0, 60, 120, 180]
    sent = day.deliveries[0][1]
    assert (sent.group_key, sent.receiver, sent.incident) == (KEY, "out", "")
    assert sent.alerts[0].labels["alertname"] == "TocsinHeartbeat"
    assert "alive" in sent.notice
    assert sent.expires_at == seconds(60)


def test_it_is_no_group_and_opens_no_incident() -> None:
    day = Scenario(routes()).until(200)
    assert (day.router.groups(), day.router.alerts()) == ([], [])
    assert day.router._state.incidents.known == {}
    assert day.decisions == []


def test_what_was_missed_is_not_made_up_for() -> None:
    day = Scenario(routes()).until(70)
    day.now = 1_000
    day.fires(1_000, "A")
    assert said(day.until(1_100)) == [0, 60, 1_000, 1_020, 1_080]


def test_one_is_under_way_for_each_channel_and_is_not_waited_for_for_ever() -> None:
    def second_is_lost(delivery: Delivery, at: int) -> object:
        return None if delivery.integration else receipt(delivery, at)

    day = Scenario(routes(), courier=second_is_lost)  # type: ignore[arg-type]
    day.until(400)
    assert said(day) == [0, 60, 120, 180, 240, 300, 360]
    assert said(day, 1) == [0, LONGEST_WAIT / 1_000]
    assert day.counts["heartbeat still under way"] == 5


def test_none_is_tried_again_but_the_next_one_comes() -> None:
    for courier in (refuses, postpones):
        day = Scenario(routes(), courier=courier).until(130)
        assert said(day) == [0, 60, 120]
        assert {one.attempt for _, one in day.deliveries} == {1}


def test_while_the_detector_that_is_required_is_silent_it_is_too() -> None:
    day = Scenario(routes(WATCHED)).fires(10, "A").fires(50, "A").until(500)
    assert said(day) == [0, 60, 120]
    assert day.counts["heartbeat withheld"] == 6
    day.fires(505, "A").until(600)
    assert said(day) == [0, 60, 120, 540, 600]


def test_a_plan_turns_it_off_and_on_and_changes_its_rhythm() -> None:
    day = Scenario(routes()).at(70, *plan(routes(""), 2)).until(300)
    assert said(day) == [0, 60]
    day.at(300, *plan(routes(), 3)).until(310)
    assert said(day) == [0, 60, 300]
    day.at(310, *plan(routes(EVERY.replace("60s", "5s")), 4)).until(321)
    assert said(day) == [0, 60, 300, 315, 320]


def test_a_receiver_that_loses_a_channel_is_told_through_the_others() -> None:
    day = Scenario(routes(), courier=is_lost).until(10)
    fewer = routes().replace(", {url: 'http://y/'}", "")
    day.at(20, *plan(fewer, 2)).until(301)
    assert said(day, 1) == [0]
    assert said(day) == [0, 300]


def test_a_restart_changes_nothing_and_a_late_receipt_counts() -> None:
    day = Scenario(routes(WATCHED), courier=is_lost).fires(5, "A").restart().until(59)
    first = [one for _, one in day.deliveries if one.why is Why.HEARTBEAT]
    for one in first:
        day._append(receipt(one, seconds(59), Fate.DELIVERED))
    assert said(day.restart().until(61)) == [0, 60]
    assert day.counts["heartbeat delivered"] == 2
    day._append(receipt(first[0], seconds(61)))
    assert "receipt unknown" not in day.counts


def test_one_that_is_refused_or_too_late_is_no_dead_letter() -> None:
    rejected = DeliveryFailed(Failure.REJECTED, retry=False)
    [answer] = World(rejected).deliver(why=Why.HEARTBEAT)
    assert isinstance(answer.event, Receipt)
    assert answer.event.fate is Fate.REFUSED
    assert len(World(None).deliver(why=Why.HEARTBEAT, expires_at=0)) == 1
    assert len(World(rejected).deliver(why=Why.FIRST)) == 2


def test_a_simulation_neither_waits_for_jobs_nor_says_that_it_is_alive() -> None:
    beats = "heartbeats: [{name: a, id: abcdefghijklmnopqrstuv, period: 1m}]\n"
    script, _ = read_script(['{"at": 1700000000000, "labels": {"alertname": "A"}}'], "f")
    content = routes() + "\n" + beats
    verdicts = list(Simulator(content, script[0].at).run(script, script[0].at + 86_400_000))
    told = [one.firing for one in verdicts if one.delivery is not None]
    assert {level.labels["alertname"] for levels in told for level in levels} == {"A"}

from schemas.alerts import AlertState
from schemas.checks import CheckResult, CheckStatus
from schemas.deliveries import Why
from tests.unit.notifiers.scenario import Scenario, batch, level, seconds
from tests.unit.notifiers.stored import alerts, groups

ROUTES = """
route: {receiver: ops, group_wait: 10s, group_interval: 1m}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}]
"""


def states(day: Scenario) -> dict[str, AlertState]:
    return {one.labels["alertname"]: one.state for one in alerts(day.state.items())}


def test_pending_is_shown_and_told_to_nobody() -> None:
    day = Scenario(ROUTES).at(1, batch(1, level("pending", 1, alertname="A"))).until(100)
    assert day.told() == []
    assert states(day) == {"A": AlertState.PENDING}


def test_what_was_only_pending_goes_silently() -> None:
    day = Scenario(ROUTES).at(1, batch(1, level("pending", 1, alertname="A")))
    gone = level("resolved", 9, since=1, alertname="A").model_copy(update={"starts_at": None})
    day.at(9, batch(9, gone)).until(100)
    assert (day.told(), states(day)) == ([], {})


def test_a_resolve_of_an_unknown_alert_is_counted_and_nothing_else() -> None:
    day = Scenario(ROUTES).resolves(5, "A").until(100)
    assert day.told() == []
    assert day.counts["level never fired"] == 1


def test_an_older_level_is_dropped_whenever_it_arrives() -> None:
    day = Scenario(ROUTES).fires(10, "A").resolves(30, "A", since=10).until(200)
    day.at(200, batch(20, level("firing", 20, since=10, alertname="A"))).until(400)
    assert day.counts["level older"] == 1
    assert [why for _, why, _ in day.told_briefly()] == [Why.FIRST, Why.ALL_RESOLVED]


def test_a_newer_plan_number_wins_over_a_later_decision() -> None:
    day = Scenario(ROUTES).at(10, batch(10, level("firing", 10, alertname="A"), plan=2))
    day.at(12, batch(12, level("resolved", 12, since=10, alertname="A"), plan=1))
    assert states(day) == {"A": AlertState.FIRING}


def test_a_re_announcement_changes_no_state() -> None:
    day = Scenario(ROUTES).fires(10, "A").until(20)
    before = dict(day.state)
    for at in range(21, 69):
        again = level("firing", at, since=10, alertname="A").model_copy(update={"value": float(at)})
        day.at(at, batch(at, again))
    assert day.state == before
    assert day.counts["level unchanged"] == 48


def test_new_annotations_are_kept_and_page_nobody() -> None:
    day = Scenario(ROUTES).fires(10, "A").until(30)
    text = level("firing", 31, since=10, alertname="A").model_copy(
        update={"annotations": {"summary": "worse"}}
    )
    day.at(31, batch(31, text)).until(200)
    assert [why for _, why, _ in day.told_briefly()] == [Why.FIRST]
    assert alerts(day.state.items())[0].annotations == {"summary": "worse"}


def test_a_new_life_that_is_pending_ends_the_one_that_fired() -> None:
    day = Scenario(ROUTES).fires(10, "A").until(30)
    day.at(40, batch(40, level("pending", 40, alertname="A"))).until(100)
    assert [why for _, why, _ in day.told_briefly()] == [Why.FIRST, Why.ALL_RESOLVED]
    assert states(day) == {"A": AlertState.PENDING}


def test_a_finished_alert_is_remembered_for_an_hour_and_then_forgotten() -> None:
    day = Scenario(ROUTES).fires(10, "A").resolves(30, "A", since=10).until(200)
    assert states(day) == {"A": AlertState.RESOLVED}
    day.fires(4_000, "B")
    assert states(day) == {"B": AlertState.FIRING}


def test_labels_in_another_order_are_the_same_alert_also_after_it_was_forgotten() -> None:
    one, other = {"alertname": "A", "x": "1"}, {"x": "1", "alertname": "A"}
    day = Scenario(ROUTES)
    for at in (10, 5_000):
        day.at(at, batch(at, level("firing", at, **one)), batch(at, level("firing", at, **other)))
        assert len(alerts(day.state.items())) == 1
        day.at(at + 1, batch(at + 1, level("resolved", at + 1, since=at, **other)))
        day.until(at + 100)
    day.fires(9_999, "B")
    assert states(day) == {"B": AlertState.FIRING}


def test_an_event_that_is_not_the_routers_is_counted() -> None:
    check = CheckResult(
        instance="i", check="c", target="t", status=CheckStatus.HEALTHY, at=1, duration=0
    )
    day = Scenario(ROUTES).at(1, check)
    assert day.counts["event ignored"] == 1


def test_the_view_shows_groups_with_what_their_channels_were_told() -> None:
    day = Scenario(ROUTES).fires(10, "B", "A").until(30)
    [group] = groups(day.state.items())
    assert (group.key, group.receiver, group.due) == ("{}:{}", "ops", seconds(80))
    assert [one.labels["alertname"] for one in group.alerts] == ["A", "B"]
    [channel] = group.channels
    assert (channel.channel, channel.told_at, channel.why) == (
        "webhook",
        seconds(20),
        "first notification",
    )
    assert alerts(day.state.items())[0].receivers == ("ops",)

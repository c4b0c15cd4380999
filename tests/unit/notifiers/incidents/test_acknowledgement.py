import pytest

from notifiers.config import read
from notifiers.incidents.lifecycle import PAGES
from schemas.alerts import PostedAlerts
from schemas.commands import SilenceMatcher, SilenceSet
from schemas.deliveries import Why
from schemas.incidents import IncidentAction, IncidentCommand, IncidentState
from schemas.pairs import packed_labels
from tests.unit.notifiers.scenario import Scenario, batch, level, plan, postpones, seconds

CONFIG = """
route: {receiver: ops, group_wait: 10s, group_interval: 1m, repeat_interval: 10m}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""
DAY = 86_400
CALM = CONFIG.replace("group_interval: 1m", "group_interval: 1h")
"""Months pass faster."""


def command(day: Scenario, action: IncidentAction, until: float | None = None) -> IncidentCommand:
    incident = day.deliveries[-1][1].incident
    end = None if until is None else seconds(until)
    return IncidentCommand(incident=incident, action=action, by="ada", until=end)


def test_what_is_acknowledged_pages_nobody_again() -> None:
    day = Scenario(CALM).fires(0, "a")
    day.until(20).at(30, command(day, IncidentAction.ACKNOWLEDGE)).restart().until(90 * DAY)
    assert day.told_briefly() == [(10, Why.FIRST, "a")]


def test_an_alert_that_comes_later_pages_and_belongs_to_the_same_incident() -> None:
    day = Scenario(CONFIG).fires(0, "a")
    day.until(20).at(30, command(day, IncidentAction.ACKNOWLEDGE)).fires(40, "b").until(DAY)
    whys = [one[:2] for one in day.told_briefly()]
    assert whys[:2] == [(10, Why.FIRST), (70, Why.GREW)]
    assert len({delivery.incident for _, delivery in day.deliveries}) == 1
    assert day.deliveries[1][1].acknowledged_by == "ada"


def test_an_acknowledgement_that_runs_out_pages_at_once() -> None:
    day = Scenario(CONFIG).fires(0, "a").until(20)
    day.at(30, command(day, IncidentAction.ACKNOWLEDGE, until=5_000)).until(5_400)
    assert day.told_briefly() == [(10, Why.FIRST, "a"), (5_000, Why.UNACKNOWLEDGED, "a")]


def test_an_alert_that_begins_anew_pages_though_its_last_life_was_acknowledged() -> None:
    day = Scenario(CONFIG).fires(0, "a").until(20)
    day.at(30, command(day, IncidentAction.ACKNOWLEDGE))
    day.resolves(31, "a").fires(32, "a").until(500)
    assert [one[:2] for one in day.told_briefly()] == [(10, Why.FIRST), (70, Why.FIRST)]


def test_who_posts_an_end_alone_posts_no_new_alert_each_time() -> None:
    def posted(at: float) -> PostedAlerts:
        ends = seconds(at + 300)
        # Alertmanager takes the end for the start where no start is named.
        return PostedAlerts(
            decided_at=seconds(at),
            labels=(packed_labels({"alertname": "a"}),),
            annotations=(b"",),
            starts_at=(ends,),
            ends_at=(ends,),
            generator_urls=("",),
        )

    day = Scenario(CONFIG).at(0, posted(0)).until(20)
    day.at(30, command(day, IncidentAction.ACKNOWLEDGE))
    for at in range(60, 3_600, 60):
        day.at(at, posted(at))
    assert day.restart().until(3_800).told_briefly() == [(10, Why.FIRST, "a")]
    day.until(4_000)
    assert day.told()[-1].why is Why.ALL_RESOLVED
    day.at(4_100, posted(4_100)).until(4_200)
    assert day.told()[-1].why is Why.FIRST


def test_firing_again_after_resolution_is_a_new_incident() -> None:
    day = Scenario(CONFIG).fires(0, "a").resolves(20, "a").fires(200, "a").until(300)
    assert [one[1] for one in day.told_briefly()] == [Why.FIRST, Why.ALL_RESOLVED, Why.FIRST]
    first, second, third = (delivery.incident for _, delivery in day.deliveries)
    assert first == second != third


def test_what_a_person_resolved_is_silent_while_it_fires() -> None:
    day = Scenario(CALM).fires(0, "a").until(20)
    day.at(30, command(day, IncidentAction.RESOLVE)).until(30 * DAY).restart()
    assert day.told_briefly() == [(10, Why.FIRST, "a")]
    day.fires(30 * DAY + 5, "b").until(30 * DAY + 4_000)
    assert day.told()[-1].firing == "a b"
    assert day.deliveries[0][1].incident != day.deliveries[1][1].incident


def acknowledged(config: str, until: float | None) -> Scenario:
    """A day on which `a` is paged at 10 s and taken on at 30 s."""
    day = Scenario(config).fires(0, "a").until(20)
    return day.at(30, command(day, IncidentAction.ACKNOWLEDGE, until))


def silence(at: float, until: float) -> SilenceSet:
    matcher = SilenceMatcher(name="alertname", operator="=", value="a")
    return SilenceSet(id="s", sets=((matcher,),), starts_at=seconds(at), ends_at=seconds(until),
                      created_by="ann", comment="")  # fmt: skip


def test_a_time_out_in_a_silence_pages_when_the_silence_is_over() -> None:
    day = acknowledged(CONFIG, until=200)
    day.at(100, silence(100, 300)).restart().until(500)
    assert day.told_briefly() == [(10, Why.FIRST, "a"), (310, Why.UNACKNOWLEDGED, "a")]


def test_a_new_plan_that_regroups_leaves_it_acknowledged_until_its_time_out() -> None:
    day = acknowledged(CONFIG, until=5_000)
    regrouped = CONFIG.replace("{receiver", "{group_by: [alertname], receiver")
    day.at(100, *plan(regrouped, 2)).restart().until(4_999)
    assert day.told_briefly() == [(10, Why.FIRST, "a")]
    assert [one.state for one in day.router.incidents()] == [IncidentState.ACKNOWLEDGED]
    day.until(5_100)
    assert day.told_briefly()[1:] == [(5_000, Why.UNACKNOWLEDGED, "a")]
    first, second = day.deliveries[0][1].incident, day.deliveries[1][1].incident
    assert first != second
    assert sorted(one.state for one in day.router.incidents()) == [
        IncidentState.OPEN, IncidentState.RESOLVED,
    ]  # fmt: skip


def test_what_fires_anew_after_a_new_plan_pages_where_its_labels_lead_and_nowhere_else() -> None:
    """Its end is still to be told where it was before, when it begins again elsewhere."""
    regrouped = CONFIG.replace("{receiver", "{group_by: [alertname], receiver")
    day = Scenario(CONFIG).fires(0, "a").resolves(30, "a").at(40, *plan(regrouped, 2))
    day.fires(50, "a").until(65)
    day.at(66, command(day, IncidentAction.ACKNOWLEDGE)).until(DAY)
    assert day.told_briefly() == [(10, Why.FIRST, "a"), (60, Why.FIRST, "a")]
    assert sorted(one.state for one in day.router.incidents()) == [
        IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED,
    ]  # fmt: skip


@pytest.mark.parametrize("before", [IncidentAction.ACKNOWLEDGE, IncidentAction.RESOLVE])
def test_whoever_acknowledges_an_alert_last_has_it_alone(before: IncidentAction) -> None:
    """A new plan brought `a` to `b`, and both were snoozed: when that ends, nobody has `a`."""
    alone = CONFIG.replace("{receiver", "{group_by: [alertname], receiver")
    day = Scenario(alone).fires(0, "a").until(20)
    day.at(30, command(day, before)).at(40, *plan(CONFIG, 2)).fires(50, "b").until(105)
    day.at(110, command(day, IncidentAction.SNOOZE, until=300)).resolves(120, "b").until(310)
    pages = [one for one in day.told_briefly() if one[1] in PAGES]
    assert [one[0] for one in pages] == [10, 100, 300]
    assert pages[-1] == (300, Why.UNACKNOWLEDGED, "a")
    assert sorted(one.state for one in day.router.incidents()) == [
        IncidentState.OPEN, IncidentState.RESOLVED,
    ]  # fmt: skip


def test_for_another_receiver_it_is_news() -> None:
    day = acknowledged(CONFIG, until=None)
    other = CONFIG.replace("{receiver: ops", "{group_by: [alertname], receiver: team").replace(
        "receivers: [", "receivers: [{name: team, webhook_configs: [{url: http://x/}]}, "
    )
    day.at(100, *plan(other, 2)).until(200)
    assert [(one.receiver, one.why) for one in day.told()] == [
        ("ops", Why.FIRST), ("team", Why.FIRST),
    ]  # fmt: skip


def test_a_page_under_way_is_not_tried_again_once_somebody_has_it() -> None:
    day = Scenario(CONFIG, courier=postpones).fires(0, "a").until(16)
    before = len(day.deliveries)
    day.at(17, command(day, IncidentAction.ACKNOWLEDGE)).until(5_000)
    assert before > 1
    assert len(day.deliveries) == before


def test_a_newcomer_that_is_acknowledged_too_hides_no_repeat_of_another() -> None:
    """`a` fires anew while somebody has `b`: it is nobody's, and is paged."""
    day = Scenario(CONFIG).fires(0, "a").until(20).fires(25, "b")
    day.at(30, command(day, IncidentAction.ACKNOWLEDGE)).resolves(40, "a").fires(45, "a")
    day.until(1_000)
    assert any(one.firing == "a b" for one in day.told())


def test_an_earlier_start_is_the_same_life_and_a_later_one_another() -> None:
    day = acknowledged(CONFIG, until=None)
    day.at(40, batch(40, level("firing", 40, since=-50, alertname="a"))).until(500)
    assert len(day.deliveries) == 1
    day.at(510, batch(510, level("firing", 510, since=505, alertname="a"))).until(700)
    assert len(day.deliveries) == 2


@pytest.mark.parametrize("text", ["0s", "soon"])
def test_a_time_out_that_makes_no_sense_is_refused_with_its_line(text: str) -> None:
    _, problems = read(f"{CONFIG}acknowledge_timeout: {text}\n", "routes.yml")
    assert [(one.line, one.key) for one in problems] == [(4, "acknowledge_timeout")]

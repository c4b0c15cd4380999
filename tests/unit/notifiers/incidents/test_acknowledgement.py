from schemas.deliveries import Why
from schemas.incidents import IncidentAction, IncidentCommand
from tests.unit.notifiers.scenario import Scenario, seconds

CONFIG = """
route: {receiver: ops, group_wait: 10s, group_interval: 1m, repeat_interval: 10m}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""
DAY = 86_400


def command(day: Scenario, action: IncidentAction, until: float | None = None) -> IncidentCommand:
    incident = day.deliveries[-1][1].incident
    end = None if until is None else seconds(until)
    return IncidentCommand(incident=incident, action=action, by="ada", until=end)


def test_what_is_acknowledged_pages_nobody_again() -> None:
    day = Scenario(CONFIG).fires(0, "a")
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


def test_firing_again_after_resolution_is_a_new_incident() -> None:
    day = Scenario(CONFIG).fires(0, "a").resolves(20, "a").fires(200, "a").until(300)
    assert [one[1] for one in day.told_briefly()] == [Why.FIRST, Why.ALL_RESOLVED, Why.FIRST]
    first, second, third = (delivery.incident for _, delivery in day.deliveries)
    assert first == second != third


def test_what_a_person_resolved_is_silent_while_it_fires() -> None:
    day = Scenario(CONFIG).fires(0, "a").until(20)
    day.at(30, command(day, IncidentAction.RESOLVE)).until(30 * DAY).restart()
    assert day.told_briefly() == [(10, Why.FIRST, "a")]
    day.fires(30 * DAY + 5, "b").until(30 * DAY + 100)
    assert day.told()[-1].firing == "a b"
    assert day.deliveries[0][1].incident != day.deliveries[1][1].incident

"""What is remembered of incidents, and for how long."""

import pytest

from notifiers.incidents import book as books
from notifiers.incidents.book import IncidentBook
from notifiers.incidents.incident import Incident, unpacked_incident
from notifiers.incidents.timeline import FIRST_KEPT, MOST_KEPT, TimelineBook
from schemas.deliveries import Fate, Why
from schemas.incidents import IncidentAction, IncidentChanged, IncidentCommand, What
from tests.unit.notifiers.scenario import Scenario, postpones, seconds

CONFIG = """
route: {receiver: ops, group_wait: 10s, group_interval: 1m, repeat_interval: 10m}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""
DAY = 86_400


def incident(name: str, resolved_at: int | None = None) -> Incident:
    labels = (("service", "shop"),)
    return Incident(name, f"group-{name}", "{}", "ops", labels, 5, resolved_at=resolved_at)


def test_an_incident_is_restored_as_it_was() -> None:
    one = incident("a", 77)
    one.covered, one.firing, one.also = {"00000000000000ff": 3}, frozenset({"0" * 16}), ("b",)
    one.escalation = ("urgent", 1, 2, 99)
    assert unpacked_incident("a", one.packed()) == one


def test_of_too_many_resolved_those_that_ended_first_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(books, "MOST_RESOLVED", 2)
    book = IncidentBook()
    for name, at in (("c", 3), ("a", 1), ("b", 2), ("open", None)):
        book.put(incident(name, at))
        book.timelines.write(name, 5, What.OPENED, "", "")
    book.make_room()
    assert sorted(book.known) == ["b", "c", "open"]
    assert book.timelines.of("a") == ()
    assert book.entry("a") is None
    assert "a" in book.touched


def test_what_a_person_resolved_and_still_fires_is_never_forgotten_for_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(books, "MOST_RESOLVED", 0)
    book = IncidentBook()
    one = incident("a", 1)
    one.covered = {"0" * 16: 1}
    book.put(one)
    book.make_room()
    assert list(book.known) == ["a"]


def test_a_timeline_keeps_its_beginning_and_its_end() -> None:
    book = TimelineBook()
    for number in range(MOST_KEPT + 50):
        book.write("a", number, "note", "", str(number))
    kept = [line.number for line in book.of("a")]
    assert len(kept) == MOST_KEPT
    assert kept[:FIRST_KEPT] == list(range(FIRST_KEPT))
    assert kept[-1] == MOST_KEPT + 49
    restored = TimelineBook()
    for name in sorted(book.touched):
        if (entry := book.entry(name)) is not None:
            restored.load(name, entry)
    assert restored.of("a") == book.of("a")


def test_a_line_is_written_alone() -> None:
    """A delivery does not write the timeline anew."""
    day = Scenario(CONFIG).fires(0, "a").until(1_000)
    lines = [key for key in day.state if key.startswith("happening/")]
    assert len(lines) == len(day.router.incidents()[0].timeline)
    assert max(len(day.state[key]) for key in lines) < 200


def whats(day: Scenario) -> list[str]:
    return [line.what for line in day.router.incidents()[0].timeline]


def test_the_timeline_tells_it_all() -> None:
    day = Scenario(CONFIG).fires(0, "a").until(20).fires(30, "b").until(100)
    name = day.router.incidents()[0].id
    day.at(110, IncidentCommand(incident=name, action=IncidentAction.SNOOZE, by="ada",
                                until=seconds(200)))  # fmt: skip
    day.until(210).resolves(220, "a").until(300).resolves(310, "b").until(500)
    day.at(510, IncidentCommand(incident=name, action=IncidentAction.FALSE_POSITIVE, by="ada"))
    assert whats(day) == [
        What.OPENED, Fate.DELIVERED, What.JOINED, Fate.DELIVERED, What.SNOOZED, What.TIMED_OUT,
        Fate.DELIVERED, What.ENDED, Fate.DELIVERED, What.RESOLVED, Fate.DELIVERED,
        What.FALSE_POSITIVE,
    ]  # fmt: skip
    assert day.router.incidents()[0].false_positive


def test_retries_are_lines_too() -> None:
    day = Scenario(CONFIG, courier=postpones).fires(0, "a").until(60)
    assert whats(day).count(Fate.RETRY) > 1
    assert Why.FIRST in day.router.incidents()[0].timeline[1].detail


def test_history_gets_every_line_in_order() -> None:
    day = Scenario(CONFIG).fires(0, "a").resolves(20, "a").until(200)
    changed = [one for one in day.history if isinstance(one, IncidentChanged)]
    assert [one.number for one in changed] == list(range(len(changed)))
    assert [one.what for one in changed] == whats(day)
    assert len({one.id for one in changed}) == len(changed)


@pytest.mark.parametrize("action", list(IncidentAction))
def test_what_is_not_there_changes_nothing(action: IncidentAction) -> None:
    day = Scenario(CONFIG).at(5, IncidentCommand(incident="nobody", action=action, by="ada"))
    assert day.counts["incident unknown"] == 1
    assert day.router.incidents() == []


def test_a_resolved_incident_takes_notes_only() -> None:
    day = Scenario(CONFIG).fires(0, "a").resolves(20, "a").until(200)
    name = day.router.incidents()[0].id
    for action in IncidentAction:
        day.at(210, IncidentCommand(incident=name, action=action, by="ada", note="x"))
    assert day.counts["incident over"] == 4
    assert whats(day)[-2:] == [What.NOTE, What.FALSE_POSITIVE]


def test_resolved_incidents_are_forgotten_after_a_week() -> None:
    day = Scenario(CONFIG).fires(0, "a").resolves(20, "a").until(8 * DAY)
    assert day.router.incidents() == []
    assert not [key for key in day.state if key.startswith(("incident/", "happening/"))]


def test_a_default_time_out_ends_an_acknowledgement() -> None:
    day = Scenario(CONFIG + "acknowledge_timeout: 20m\n").fires(0, "a").until(20)
    name = day.router.incidents()[0].id
    day.at(30, IncidentCommand(incident=name, action=IncidentAction.ACKNOWLEDGE, by="ada"))
    day.until(1_300)
    assert [one[:2] for one in day.told_briefly()] == [
        (10, Why.FIRST), (1_230, Why.UNACKNOWLEDGED),
    ]  # fmt: skip

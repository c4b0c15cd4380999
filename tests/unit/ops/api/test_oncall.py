"""Who is on call over HTTP, and overrides made and taken back."""

import pytest

from notifiers.oncall.book import MadeOverride
from notifiers.oncall.schedule import DAY, HOUR, Override
from ops.api import oncall
from ops.services import Routing
from schemas.oncall import OverrideEnded, OverrideSet
from schemas.topics import CODEC
from tests.support.fake_services import NOW, FakeServices
from tests.unit.ops.api.asking import ask

FILE = """
route: {receiver: a}
receivers: [{name: a}]
users: [{name: ada, contacts: [a]}, {name: kim, contacts: [a]}]
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers: [{name: weekly, users: [ada], rotation: weekly, start: 2025-01-06T09:00}]
  - name: later
    layers: [{name: daily, users: [kim], rotation: daily, start: 2030-01-01T00:00}]
"""
MADE = MadeOverride("o1", "primary", Override("kim", NOW - HOUR, NOW + HOUR), "ada", NOW - DAY)
PATH = "/api/tocsin/v1/oncall"


def services(*made: MadeOverride) -> FakeServices:
    return FakeServices(routes=Routing(FILE), made_overrides=made)


def test_who_is_on_call_now_and_until_when() -> None:
    body = ask("GET", PATH, services(MADE)).json()
    primary, later = body["schedules"]
    assert body["at"] == NOW
    assert (primary["user"], primary["layer"], primary["until"]) == ("kim", "override", NOW + HOUR)
    assert (later["user"], later["layer"], later["until"]) == (None, None, None)
    assert body["overrides"] == [
        {
            "id": "o1",
            "schedule": "primary",
            "user": "kim",
            "start": NOW - HOUR,
            "end": NOW + HOUR,
            "by": "ada",
            "state": "active",
        }
    ]


def test_who_is_on_call_at_another_time() -> None:
    body = ask("GET", f"{PATH}?at={NOW + 2 * HOUR}", services(MADE)).json()
    assert body["schedules"][0]["user"] == "ada"
    assert ask("GET", f"{PATH}?at=soon", services()).status_code == 400


def test_the_shifts_of_a_schedule() -> None:
    query = f"{PATH}/primary?from={NOW - 2 * HOUR}&to={NOW + 2 * HOUR}"
    shifts = ask("GET", query, services(MADE)).json()["shifts"]
    assert [one["user"] for one in shifts] == ["ada", "kim", "ada"]
    assert ask("GET", f"{PATH}/primray", services()).status_code == 404
    assert ask("GET", f"{PATH}/primary?from=2&to=1", services()).status_code == 400


def test_a_schedule_as_a_calendar_with_its_overrides() -> None:
    query = f"{PATH}/primary.ics?from={NOW - 2 * HOUR}&to={NOW + 2 * HOUR}"
    answer = ask("GET", query, services(MADE))
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    said = [line for line in answer.text.splitlines() if line.startswith("SUMMARY")]
    assert said == ["SUMMARY:ada", "SUMMARY:kim", "SUMMARY:ada"]
    assert ask("GET", f"{PATH}/primray.ics", services()).status_code == 404


def test_an_override_is_made_and_has_an_id() -> None:
    fake = services()
    wanted = {"schedule": "primary", "user": "kim", "from": NOW, "to": NOW + HOUR, "by": "ada"}
    answer = ask("POST", f"{PATH}/overrides", fake, json=wanted)
    assert answer.status_code == 200
    [message] = fake.publish.messages
    event = CODEC.decode(message.value).event
    assert event == OverrideSet(
        id=answer.json()["id"],
        schedule="primary",
        user="kim",
        start=NOW,
        end=NOW + HOUR,
        by="ada",
    )


def test_an_override_of_nobody_or_nowhere_or_never_is_refused() -> None:
    good = {"schedule": "primary", "user": "kim", "from": NOW, "to": NOW + HOUR}
    for wrong in (
        {"schedule": "primray"},
        {"user": "kin"},
        {"to": NOW},
        {"from": NOW - 2 * DAY, "to": NOW - DAY},
        {"user": ""},
        {"until": 1},
        {"from": "tomorrow"},
    ):
        fake = services()
        answer = ask("POST", f"{PATH}/overrides", fake, json=good | wrong)
        assert answer.status_code == 400, wrong
        assert answer.json()["error"]
        assert fake.publish.messages == []


def test_an_override_is_taken_back() -> None:
    fake = services(MADE)
    assert ask("DELETE", f"{PATH}/overrides/o1?by=ada", fake).status_code == 200
    [message] = fake.publish.messages
    assert CODEC.decode(message.value).event == OverrideEnded(id="o1", by="ada")
    assert ask("DELETE", f"{PATH}/overrides/o2", fake).status_code == 404


def test_an_override_that_the_router_does_not_take_in_is_said_to_be_out_of_force() -> None:
    fake = services(MADE)
    fake.takes = False
    answer = ask("DELETE", f"{PATH}/overrides/o1", fake)
    assert answer.status_code == 503
    assert "not in force" in answer.json()["error"]


def test_there_is_room_for_so_many_overrides_that_are_not_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oncall, "MOST", 1)
    wanted = {"schedule": "primary", "user": "kim", "from": NOW, "to": NOW + HOUR}
    fake = services(MADE)
    answer = ask("POST", f"{PATH}/overrides", fake, json=wanted)
    assert answer.status_code == 409
    assert "there are 1 overrides that are not over" in answer.json()["error"]
    assert fake.publish.messages == []
    over = MadeOverride("o2", "primary", Override("kim", NOW - DAY, NOW - HOUR), "ada", NOW - DAY)
    assert ask("POST", f"{PATH}/overrides", services(over), json=wanted).status_code == 200

from typing import Any

import pytest

from notifiers.matchers import Matcher, Operator
from notifiers.silences import Silence, SilenceState
from notifiers.view import SilenceView
from ops.services import Routing
from schemas.alerts import AlertState, PostedAlerts
from schemas.commands import SilenceExpired, SilenceSet
from schemas.errors import LogAway
from schemas.event import Event
from schemas.pairs import unpacked
from schemas.topics import ALERTS, CODEC, MAX_MESSAGE
from tests.support.fake_services import NOW, FakeAlert, FakeServices
from tests.unit.ops.api.asking import GUARDED, ask

ROUTES = Routing(
    """
global: {slack_api_url: https://hooks.example.org/secret}
route:
  receiver: team
  routes: [{receiver: other, matchers: [team="db"]}]
receivers:
- name: team
  webhook_configs: [{url: "https://user:word@example.org/secret"}]
  file_configs: [{path: out.jsonl}]
- name: other
suppression: tocsin
"""
)
ID = "11111111-1111-4111-8111-111111111111"
A = Matcher("alertname", Operator.EQUAL, "A")


def view(now: int = NOW, **changed: Any) -> SilenceView:
    fields: dict[str, Any] = {
        "id": ID,
        "sets": ((A,),),
        "starts_at": now - 1_000,
        "ends_at": now + 60_000,
    }
    silence = Silence(**(fields | changed))
    return SilenceView(silence, silence.state_at(now))


def wanted(**changed: Any) -> dict[str, Any]:
    return {
        "matchers": [{"name": "alertname", "value": "A", "isRegex": False}],
        "startsAt": "2025-06-15T15:06:39Z",
        "endsAt": "2025-06-15T16:06:40.5Z",
        "createdBy": "me",
        "comment": "why",
    } | changed


def events(services: FakeServices) -> list[Event]:
    assert {message.topic for message in services.publish.messages} <= {ALERTS}
    return [CODEC.decode(message.value).event for message in services.publish.messages]


def test_an_alert_has_alertmanagers_shape() -> None:
    services = FakeServices(
        routes=ROUTES,
        known=[
            FakeAlert({"alertname": "A", "team": "db"}, annotations={"s": "x"}, silenced_by=("1",)),
            FakeAlert({"alertname": "B"}, AlertState.PENDING),
            FakeAlert({"alertname": "C"}, AlertState.RESOLVED),
        ],
    )
    assert ask("GET", "/api/v2/alerts", services).json() == [
        {
            "annotations": {"s": "x"},
            "endsAt": "2025-06-15T15:11:30.000Z",
            "fingerprint": "7c645696d60f2876",
            "receivers": [{"name": "other"}],
            "startsAt": "2025-06-15T15:06:10.000Z",
            "status": {
                "inhibitedBy": [],
                "mutedBy": [],
                "silencedBy": ["1"],
                "state": "suppressed",
            },
            "updatedAt": "2025-06-15T15:06:30.000Z",
            "labels": {"alertname": "A", "team": "db"},
        }
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "ABC"),
        ("active=false", "BC"),
        ("silenced=false", "AC"),
        ("inhibited=false", "AB"),
        ("receiver=te", ""),
        ("receiver=te.*", "BC"),
        ("filter=alertname%3DA", "A"),
        ("filter=alertname!%3DA&filter=alertname!%3DB", "C"),
        ("receiver_matchers=name%3Dother", "A"),
    ],
)
def test_a_list_has_what_is_asked_for(query: str, names: str) -> None:
    known = [
        FakeAlert({"alertname": "A", "team": "db"}),
        FakeAlert({"alertname": "B"}, silenced_by=("1",)),
        FakeAlert({"alertname": "C"}, inhibited_by=("2",)),
    ]
    found = ask("GET", f"/api/v2/alerts?{query}", FakeServices(routes=ROUTES, known=known)).json()
    assert sorted(alert["labels"]["alertname"] for alert in found) == list(names)


def test_posted_alerts_become_a_batch_and_bad_ones_are_told_of_together() -> None:
    services = FakeServices()
    posted: list[dict[str, Any]] = [
        {"labels": {"alertname": "A", "empty": ""}, "generatorURL": "http://g/x"},
        {"labels": {}},
        {
            "labels": {"a": "b"},
            "startsAt": "2026-01-02T00:00:00Z",
            "endsAt": "2026-01-01T00:00:00Z",
        },
        {"labels": {"": "b"}},
        {"labels": {"a": "b"}, "endsAt": "2025-06-15T15:00:00+00:00"},
        {"labels": {"c": "d"}, "startsAt": "0001-01-01T00:00:00.000Z", "endsAt": ""},
    ]
    answer = ask("POST", "/api/v2/alerts", services, json=posted)
    assert answer.status_code == 400
    assert answer.json() == (
        "at least one label pair required\n"
        "start time must be before end time\n"
        'invalid label set: invalid name ""'
    )
    (batch,) = events(services)
    assert isinstance(batch, PostedAlerts)
    assert batch.decided_at == NOW
    assert [unpacked(one) for one in batch.labels] == [
        {"alertname": "A"},
        {"a": "b"},
        {"c": "d"},
    ]
    assert batch.starts_at == (NOW, NOW - 400_000, NOW)
    assert batch.ends_at == (None, NOW - 400_000, None)
    assert batch.generator_urls == ("http://g/x", "", "")


def test_an_alert_that_fits_in_no_message_is_refused_and_its_neighbour_taken() -> None:
    services = FakeServices()
    notes = {f"n{number}": "y" * 60_000 for number in range(17)}
    posted = [{"labels": {"a": "1"}, "annotations": notes}, {"labels": {"b": "2"}}]
    answer = ask("POST", "/api/v2/alerts", services, json=posted)
    assert answer.status_code == 400
    assert answer.json() == "invalid alert: has 1020079 bytes, the limit is 958976"
    (batch,) = events(services)
    assert isinstance(batch, PostedAlerts)
    assert [unpacked(one) for one in batch.labels] == [{"b": "2"}]


def test_a_large_post_is_cut_into_messages_that_are_small_enough() -> None:
    services = FakeServices()
    posted = [{"labels": {"n": str(n)}, "annotations": {"x": "y" * 5_000}} for n in range(600)]
    assert ask("POST", "/api/v2/alerts", services, json=posted).status_code == 200
    sizes = [len(message.value) for message in services.publish.messages]
    assert len(sizes) > 3
    assert max(sizes) <= MAX_MESSAGE
    batches = [event for event in events(services) if isinstance(event, PostedAlerts)]
    assert [unpacked(one)["n"] for batch in batches for one in batch.labels] == [
        str(n) for n in range(600)
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 422, 602),
        ("[", 400, 400),
        ('{"a": 1}', 400, 400),
        ('[{"labels": {"a": 1}}]', 400, 400),
        ('[{"annotations": {"a": "b"}}]', 422, 602),
        ('[{"labels": {"a": "b"}, "startsAt": "yesterday"}]', 400, 400),
        ('[{"labels": {"a": "b"}, "startsAt": "2026-01-01 00:00:00Z"}]', 400, 400),
        ("[null]", 400, 400),
        ('[{"labels": {"a": "b"}, "generatorURL": "::bad::"}]', 422, 601),
    ],
)
def test_a_body_that_the_description_does_not_allow_is_refused(
    body: str, status: int, code: int
) -> None:
    services = FakeServices()
    headers = {"content-type": "application/json"}
    answer = ask("POST", "/api/v2/alerts", services, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert services.publish.messages == []


def test_other_bodies_paths_and_methods_are_refused_as_alertmanager_does() -> None:
    text = ask("POST", "/api/v2/alerts", content="[]", headers={"content-type": "text/plain"})
    assert (text.status_code, text.json()["code"]) == (415, 415)
    assert ask("GET", "/api/v2/nope").json() == {
        "code": 404,
        "message": "path /api/v2/nope was not found",
    }
    assert ask("PUT", "/api/v2/alerts").status_code == 405
    bad = ask("GET", "/api/v2/alerts?filter=x")
    assert (bad.status_code, bad.json().startswith("bad matcher format: x")) == (400, True)
    assert ask("GET", "/api/v2/alerts?receiver=(").status_code == 400


def test_alerts_may_come_in_ten_mebibytes_and_nothing_else_may() -> None:
    large = b" " * (2 * 1_048_576) + b"[]"
    headers = {"content-type": "application/json"}
    assert ask("POST", "/api/v2/alerts", content=large, headers=headers).status_code == 200
    assert ask("POST", "/api/v2/silences", content=large, headers=headers).status_code == 413
    over = b" " * (11 * 1_048_576)
    assert ask("POST", "/api/v2/alerts", content=over, headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("body", "status", "invalid"),
    [
        (b'[{"labels": {"a": "b"}}]', 200, 0),
        (b'[{"labels": {"a": "b"}}, {"labels": {}}, {"labels": {"": "b"}}]', 400, 2),
        (b"nonsense", 400, 0),
        (b" " * (11 * 1_048_576), 413, 0),
    ],
)
def test_posts_that_are_refused_are_counted(body: bytes, status: int, invalid: int) -> None:
    services = FakeServices()
    headers = {"content-type": "application/json"}
    answer = ask("POST", "/api/v2/alerts", services, content=body, headers=headers)
    assert answer.status_code == status
    refused = services.figures.value("tocsin_posts_refused_total", status=str(status))
    assert refused == (status != 200)
    assert services.figures.value("tocsin_alerts_invalid_total") == invalid


def test_of_posts_alone_it_is_counted_who_may_not_send_them() -> None:
    services = FakeServices()
    for method, path in (("POST", "/api/v2/alerts"), ("GET", "/api/v2/alerts"), ("POST", "/x")):
        assert ask(method, path, services, GUARDED, content=b"[]").status_code == 401
    assert services.figures.value("tocsin_posts_refused_total", status="401") == 1


def test_a_log_that_is_away_says_when_to_try_again() -> None:
    services = FakeServices()
    services.publish.fault = LogAway("gone")
    answer = ask("POST", "/api/v2/alerts", services, json=[{"labels": {"a": "b"}}])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert services.figures.value("tocsin_posts_refused_total", status="503") == 1


def test_a_silence_is_made_under_a_new_id_and_begins_no_earlier_than_now() -> None:
    services = FakeServices()
    answer = ask("POST", "/api/v2/silences", services, json=wanted())
    (command,) = events(services)
    assert isinstance(command, SilenceSet)
    assert answer.json() == {"silenceID": command.id}
    assert (command.starts_at, command.ends_at) == (NOW, NOW + 3_600_500)
    assert command.sets[0][0].name == "alertname"


def test_an_edit_keeps_the_id_or_ends_the_old_silence() -> None:
    services = FakeServices(silence_views=[view()])
    same = ask("POST", "/api/v2/silences", services, json=wanted(id=ID))
    assert same.json() == {"silenceID": ID}
    other = [{"name": "alertname", "value": "B", "isRegex": False}]
    changed = ask("POST", "/api/v2/silences", services, json=wanted(id=ID, matchers=other))
    _, ended, made = events(services)
    assert isinstance(ended, SilenceExpired)
    assert isinstance(made, SilenceSet)
    assert ended.id == ID
    assert changed.json() == {"silenceID": made.id} != {"silenceID": ID}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"id": ID}, 404),
        ({"endsAt": "2025-06-15T15:06:39Z"}, 400),
        ({"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-02T00:00:00Z"}, 400),
        ({"matchers": []}, 422),
        ({"matchers": [{"name": "a", "value": ""}]}, 422),
        ({"matchers": [{"name": "a", "value": "", "isRegex": False}]}, 400),
        ({"matchers": [{"name": "", "value": "x", "isRegex": False}]}, 400),
        ({"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, 400),
        ({"comment": None}, 422),
        ({"startsAt": "soon"}, 400),
        ({"annotations": {"a": 1}}, 400),
    ],
)
def test_a_bad_silence_is_refused(changed: dict[str, Any], status: int) -> None:
    services = FakeServices()
    answer = ask("POST", "/api/v2/silences", services, json=wanted(**changed))
    assert answer.status_code == status
    assert services.publish.messages == []


def test_silences_are_found_sorted_and_filtered() -> None:
    other = f"{ID[:-1]}2"
    gone = f"{ID[:-1]}3"
    services = FakeServices(
        silence_views=[
            view(id=gone, ends_at=NOW - 1),
            view(id=other, starts_at=NOW + 1),
            view(),
        ]
    )

    def found(query: str = "") -> list[str]:
        return [one["id"] for one in ask("GET", f"/api/v2/silences?{query}", services).json()]

    assert found() == [ID, other, gone]
    assert found("active=false&pending=false") == [gone]
    assert found("filter=alertname%3DA&expired=false") == [ID, other]
    assert found("filter=alertname%3D~A") == []
    one = ask("GET", f"/api/v2/silence/{ID}", services)
    assert one.json()["status"] == {"state": str(SilenceState.ACTIVE)}
    assert ask("GET", f"/api/v2/silence/{ID[:-1]}9", services).status_code == 404
    assert ask("GET", "/api/v2/silence/abc", services).status_code == 422


def test_a_silence_is_expired_once() -> None:
    services = FakeServices(silence_views=[view()])
    assert ask("DELETE", f"/api/v2/silence/{ID}", services).status_code == 200
    (command,) = events(services)
    assert isinstance(command, SilenceExpired)
    assert command.id == ID
    over = FakeServices(silence_views=[view(ends_at=NOW)])
    assert ask("DELETE", f"/api/v2/silence/{ID}", over).status_code == 200
    assert over.publish.messages == []
    assert ask("DELETE", f"/api/v2/silence/{ID}").status_code == 404


def test_what_the_router_did_not_take_in_is_said_with_the_id() -> None:
    services = FakeServices(takes=False)
    answer = ask("POST", "/api/v2/silences", services, json=wanted())
    (command,) = events(services)
    assert isinstance(command, SilenceSet)
    assert (answer.status_code, answer.json()["silenceID"]) == (503, command.id)


def test_a_log_that_is_away_is_said() -> None:
    services = FakeServices()
    services.publish.fault = LogAway("disk")
    answer = ask("POST", "/api/v2/alerts", services, json=[{"labels": {"a": "b"}}])
    assert (answer.status_code, answer.json()) == (503, "disk")


def test_status_is_ready_names_itself_and_shows_no_secret() -> None:
    body = ask("GET", "/api/v2/status", FakeServices(routes=ROUTES)).json()
    cluster = body["cluster"]
    assert cluster["status"] == "ready"
    assert cluster["peers"] == [{"address": cluster["name"], "name": cluster["name"]}]
    assert body["uptime"] == "2025-06-15T15:06:40.000Z"
    assert body["versionInfo"]["version"].startswith("0.34.0+tocsin.")
    original = body["config"]["original"]
    assert "secret\n" not in original.replace("<secret>", "")
    assert "word@" not in original
    assert "hooks.example.org" not in original
    assert "suppression" not in original
    assert "file_configs" not in original
    assert "url: <secret>" in original or 'url: "<secret>"' in original


def test_receivers_are_found_by_their_labels() -> None:
    routes = (
        "route: {receiver: a}\n"
        "receivers: [{name: a, labels: {team: db}}, {name: b, labels: {team: web}}]"
    )
    services = FakeServices(routes=Routing(routes))
    assert ask("GET", "/api/v2/receivers", services).json() == [
        {"labels": {"team": "db", "name": "a"}, "name": "a"},
        {"labels": {"team": "web", "name": "b"}, "name": "b"},
    ]
    found = ask("GET", "/api/v2/receivers?receiver_matchers=team%3Dweb", services).json()
    assert [one["name"] for one in found] == ["b"]


def test_receivers_are_named_in_order() -> None:
    found = ask("GET", "/api/v2/receivers", FakeServices(routes=ROUTES)).json()
    assert [one["name"] for one in found] == ["team", "other"]

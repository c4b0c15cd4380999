import json
from typing import Any

import pytest

from ops import maintenance
from schemas.deliveries import Why
from schemas.windows import WindowEnded
from tests.support.routed_services import RoutedServices
from tests.unit.notifiers.scenario import seconds
from tests.unit.ops.api.asking import ask

URL = "/api/tocsin/v1"
ONCE = {"matchers": ["alertname=a"], "owner": "ada", "comment": "patches", "for": "10m"}


def post(services: RoutedServices, path: str, body: Any, status: int = 200) -> Any:
    return sent("POST", services, path, body, status)


def sent(method: str, services: RoutedServices, path: str, body: Any, status: int = 200) -> Any:
    answer = ask(method, f"{URL}{path}", services, content=json.dumps(body))
    assert answer.status_code == status, answer.text
    return answer.json()


def got(services: RoutedServices, path: str = "/windows") -> Any:
    return ask("GET", f"{URL}{path}", services).json()


def test_a_window_over_the_api_hides_a_page_and_its_end_releases_it() -> None:
    services = RoutedServices()
    made = post(services, "/windows", ONCE)
    assert (made["kind"], made["state"], made["matchers"]) == (
        "once",
        "active",
        [['alertname="a"']],
    )
    services.day.fires(1, "a").until(500)
    assert services.told() == []
    assert [one["status"]["state"] for one in ask("GET", "/api/v2/alerts", services).json()] == [
        "suppressed"
    ]
    services.day.until(600)
    assert services.day.told_briefly() == [(600, Why.FIRST, "a")]
    assert got(services, f"/windows/{made['id']}")["state"] == "expired"


def test_somebody_ends_it_over_the_api() -> None:
    services = RoutedServices()
    name = post(services, "/windows", ONCE)["id"]
    services.day.fires(1, "a").until(100)
    ended = ask("DELETE", f"{URL}/windows/{name}?by=bob", services)
    assert (ended.status_code, ended.json()["state"]) == (200, "expired")
    assert WindowEnded(id=name, by="bob") in services.events()
    assert services.day.until(101).told_briefly() == [(100, Why.FIRST, "a")]
    assert sent("PUT", services, f"/windows/{name}", ONCE, 409)["error"].startswith("the window is")


def test_it_may_be_changed_under_its_id() -> None:
    services = RoutedServices()
    name = post(services, "/windows", ONCE)["id"]
    changed = sent("PUT", services, f"/windows/{name}", ONCE | {"for": "1h"})
    assert (changed["id"], changed["ends_at"]) == (name, seconds(3_600))
    assert len(got(services)["windows"]) == 1


def test_a_recurring_window_foretells_its_spans_there_and_in_utc() -> None:
    body = {
        "matchers": ["service=shop"],
        "owner": "ada",
        "every": "tue 02:00 for 2h in Europe/Berlin",
    }
    spans = post(RoutedServices(), "/windows", body)["spans"]
    assert len(spans) == 5
    assert spans[0]["local"] == ["Tue 2023-11-21 02:00:00 CET", "Tue 2023-11-21 04:00:00 CET"]
    assert spans[0]["utc"] == ["Tue 2023-11-21 01:00:00 UTC", "Tue 2023-11-21 03:00:00 UTC"]


def test_a_calendar_is_alertmanagers() -> None:
    interval = {"weekdays": ["saturday"], "times": [{"start_time": "01:00", "end_time": "02:30"}]}
    body = {"matchers": ["service=shop"], "owner": "ada", "calendar": [interval]}
    made = post(RoutedServices(), "/windows", body)
    assert made["spans"][0]["utc"][0] == "Sat 2023-11-18 01:00:00 UTC"


def test_the_preview_says_what_is_hidden_and_changes_nothing() -> None:
    services = RoutedServices()
    services.day.fires(0, "a", "b", service="shop")
    found = post(services, "/windows/preview", ONCE)
    assert (found["known"], found["hidden"], found["too_broad"]) == (2, 1, "")
    assert found["alerts"][0]["labels"] == {"alertname": "a", "service": "shop"}
    assert got(services) == {"windows": []}
    deploy = {"matchers": ["service=shop"], "owner": "ada", "timeout": "30m"}
    assert len(post(services, "/windows/preview", deploy)["spans"]) == 1


@pytest.mark.parametrize("path", ["/windows", "/silences"])
@pytest.mark.parametrize(
    ("matchers", "why"),
    [
        (['alertname=~".+"'], "match every alert"),
        (['alertname=~".*"', 'service!=""'], "match every alert"),
        (['service="shop"'], "hide 12 of the 12 alerts"),
    ],
)
def test_what_hides_too_much_is_refused_unless_somebody_insists(
    path: str, matchers: list[str], why: str
) -> None:
    services = RoutedServices()
    services.day.fires(0, *(f"a{n}" for n in range(12)), service="shop")
    body = ONCE | {"matchers": matchers}
    assert why in post(services, path, body, 409)["error"]
    post(services, path, body | {"force": True})


def test_alertmanagers_own_api_is_not_guarded() -> None:
    services = RoutedServices()
    body = {
        "matchers": [{"name": "alertname", "value": ".+", "isRegex": True}],
        "startsAt": "2023-11-14T22:13:20Z",
        "endsAt": "2023-11-15T22:13:20Z",
        "createdBy": "ada",
        "comment": "all of it",
    }
    assert ask("POST", "/api/v2/silences", services, json=body).status_code == 200


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"matchers": []}, "matchers: at least one"),
        ({"matchers": ["=x"]}, "matchers: "),
        ({"owner": ""}, "owner: somebody"),
        ({"for": "5x"}, "for: not a duration"),
        ({"for": None}, "nothing says when"),
        ({"until": "2026-01-01"}, "has no time zone"),
        ({"until": "2026-01-01T00:00:00Z"}, "for and until"),
        ({"for": None, "until": "2020-01-01T00:00:00Z"}, "the end is in the past"),
        ({"every": "someday 02:00 for 2h"}, '"someday" is no day'),
        ({"every": "monday at two"}, "is not understood"),
        ({"every": "monday 02:00 for 2h in Mars/Olympus"}, "unknown time zone"),
        ({"every": "monday 02:00 for 2h", "timeout": "1h"}, "exclude one another"),
        ({"timeout": "25h"}, "at most 24h"),
        ({"for": "9000y"}, "out of range"),
        ({"from": "999999999999999"}, "the years"),
        ({"remind_before": "5m", "remind_to": "nobody"}, 'no receiver or user "nobody": r'),
        ({"matcher": "a=b"}, 'did you mean "matchers"'),
        ({"from": "2030-01-01T00:00:00Z", "for": None, "until": "2029-01-01T00:00:00Z"}, "after"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(change: dict[str, object], why: str) -> None:
    services = RoutedServices()
    assert why in post(services, "/windows", ONCE | change, 400)["error"]
    assert services.events() == []


def test_a_deploy_is_started_and_finished_by_its_service_and_id() -> None:
    services = RoutedServices()
    deploy = {"service": "shop", "id": "r42", "timeout": "30m", "by": "ci"}
    started = post(services, "/deploys/start", deploy)
    assert (started["state"], started["closes_at"]) == ("active", seconds(1_800))
    # The pipeline tries again: nothing new, and the time-out stays.
    services.day.until(60)
    again = post(services, "/deploys/start", deploy)
    assert (again["id"], again["closes_at"]) == (started["id"], started["closes_at"])
    services.day.fires(61, "a", service="shop").fires(62, "b", service="other").until(200)
    assert services.day.told_briefly() == [(71, Why.FIRST, "b")]
    assert post(services, "/deploys/finish", {"service": "shop", "id": "r42"})["state"] == "expired"
    assert services.day.until(201).told_briefly()[1:] == [(200, Why.GREW, "a b")]
    assert "is over" in post(services, "/deploys/start", deploy, 409)["error"]
    assert post(services, "/deploys/finish", {"service": "shop", "id": "x"}, 404)


def test_a_deploys_window_that_stays_is_started_and_finished_by_name() -> None:
    services = RoutedServices()
    name = post(services, "/windows", {"service": "shop", "owner": "ada", "timeout": "20m"})["id"]
    assert got(services, f"/windows/{name}")["state"] == "pending"
    assert post(services, f"/windows/{name}/start", {"timeout": "5m"})["closes_at"] == seconds(300)
    assert post(services, f"/windows/{name}/finish", {})["state"] == "pending"
    assert post(services, f"/windows/{name}/start", {})["closes_at"] == seconds(1_200)
    once = post(services, "/windows", ONCE)["id"]
    assert "timeout" in post(services, f"/windows/{once}/start", {}, 409)["error"]
    assert "timeout: " in post(services, f"/windows/{name}/start", {"timeout": "x"}, 400)["error"]
    assert "unknown key" in post(services, f"/windows/{name}/finish", {"b": ""}, 400)["error"]


def test_a_silence_of_ours_is_an_ordinary_one_and_reminds() -> None:
    services = RoutedServices()
    name = post(services, "/silences", ONCE | {"remind_before": "2m", "remind_to": "r"})["id"]
    assert ask("GET", f"/api/v2/silence/{name}", services).json()["createdBy"] == "ada"
    services.day.until(1_000)
    assert [(at, one.why) for at, one in services.day.deliveries] == [(480, Why.REMINDER)]
    assert [one["state"] for one in got(services, "/silences")["silences"]] == ["expired"]


def test_a_silence_that_is_expired_in_time_reminds_nobody() -> None:
    services = RoutedServices()
    name = post(services, "/silences", ONCE | {"remind_before": "2m", "remind_to": "r"})["id"]
    services.day.until(100)
    assert ask("DELETE", f"{URL}/silences/{name}", services).status_code == 200
    services.day.until(1_000)
    assert services.told() == []
    assert ask("DELETE", f"{URL}/silences/nope", services).status_code == 404
    assert (
        "holds once"
        in post(services, "/silences", ONCE | {"for": None, "timeout": "5m"}, 400)["error"]
    )


def test_what_the_router_does_not_take_in_is_not_called_done() -> None:
    services = RoutedServices()
    services.takes = False
    assert "not in force" in post(services, "/windows", ONCE, 503)["error"]


def test_there_is_room_for_so_many_windows_that_are_not_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maintenance, "MOST", 2)
    services = RoutedServices()
    first = post(services, "/windows", ONCE)["id"]
    post(services, "/deploys/start", {"service": "shop", "id": "r1"})
    answer = post(services, "/windows", ONCE, 409)
    assert answer["error"] == "there are 2 windows that are not over: end some of them first"
    post(services, "/deploys/start", {"service": "shop", "id": "r2"}, 409)
    assert len(got(services)["windows"]) == 2
    sent("PUT", services, f"/windows/{first}", ONCE | {"for": "1h"})
    post(services, "/deploys/finish", {"service": "shop", "id": "r1"})
    post(services, "/deploys/start", {"service": "shop", "id": "r2"})

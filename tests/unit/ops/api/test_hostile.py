"""What is thrown at the doors: no request brings about a 500, or is said again in a log."""

import asyncio
import logging
from typing import Any

import httpx
import pytest

from ops.api.app import build
from ops.services import Routing
from tests.unit.ops.api.asking import OPEN, ask
from tests.unit.ops.api.living import Living, living

OURS = "/api/tocsin/v1"
ID = "3f2b6a0e-8a53-4c53-9a39-1d3c7f3d7c11"
ROUTES = f"""
route: {{receiver: r}}
receivers: [{{name: r, file_configs: [{{path: r.jsonl}}]}}]
users: [{{name: ada, contacts: [r]}}]
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers: [{{name: weekly, users: [ada], rotation: weekly, start: 2026-01-05T09:00}}]
heartbeats: [{{name: job, id: {ID}, period: 1h}}]
"""
JSON = {"content-type": "application/json"}
POSTS = (
    "/windows",
    "/windows/preview",
    "/windows/x/start",
    "/windows/x/finish",
    "/deploys/start",
    "/deploys/finish",
    "/silences",
    "/oncall/overrides",
    "/drills",
    "/incidents/x/acknowledge",
    "/dead-letters/0/resend",
)
BODIES = (
    b"[" * 10_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b"NaN",
    b"\xff",
    b"\x00",
    b"null",
    b"[]",
    b'{"by": "\\ud800"}',
    b'{"\\ud800": "x"}',
    b'{"service": "\\ud800", "id": "x"}',
    b'{"receiver": "\\ud800"}',
    b'{"receiver": "r", "timeout": NaN}',
    b'{"receiver": "r", "timeout": 1e999}',
    b'{"matchers": ["a=\\ud800"], "owner": "ada", "for": "1h"}',
    b'matchers: ["a=\\ud800"]\nowner: ada\nfor: 1h',
    b'{"matchers": ["a=b"], "owner": "\\ud800", "for": "1h"}',
    b'{"schedule": "primary", "user": "ada", "from": "2026-01-01T00:00:00Z",'
    b' "to": "2099-01-01T00:00:00Z", "by": "\\ud800"}',
    b'{"schedule": "primary", "user": "ada", "from": 0, "to": "9999-12-31T23:59:59-14:00"}',
    b'{"n": ' + b"1" * 6_000 + b"}",
)
GETS = (
    "/dead-letters?since=9999999999999999999",
    "/incidents?limit=000001" + "0" * 5_000,
    "/oncall?at=253402300799999",
    "/oncall?at=" + "1" * 5_000,
    "/oncall?at=9999-12-31T23:59:59-14:00",
    "/oncall?at=0001-01-01T00:00:00%2B14:00",
    "/oncall/primary?from=9999-12-31T00:00:00Z",
    "/oncall/primary.ics?from=253402300799998&to=253402300799999",
)


@pytest.fixture(scope="module")
def services() -> Living:
    found = living(ROUTES)
    found.routes = Routing(ROUTES)
    return found


@pytest.mark.parametrize("path", POSTS)
def test_what_cannot_be_read_is_refused(services: Living, path: str) -> None:
    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(build(services, OPEN))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [await client.post(OURS + path, content=body, headers=JSON) for body in BODIES]

    for body, answer in zip(BODIES, asyncio.run(answers()), strict=True):
        assert answer.status_code in {400, 404, 409, 422}, (body[:60], answer.text)
        assert answer.json()["error"]


@pytest.mark.parametrize("path", GETS)
def test_what_cannot_be_asked_is_refused(services: Living, path: str) -> None:
    answer = ask("GET", OURS + path, services)
    assert (answer.status_code, answer.json()["status"]) == (400, "error")


@pytest.mark.parametrize("path", ["/drills", "/dead-letters/0/resend"])
def test_a_body_without_a_length_has_its_limit(services: Living, path: str) -> None:
    async def endless() -> Any:
        for _ in range(1_000):
            yield b" " * 1_024

    answer = ask("POST", OURS + path, services, content=endless())
    assert answer.status_code == 413


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:01+14:00"])
def test_no_time_of_an_alert_keeps_others_from_being_told(when: str) -> None:
    services = living(ROUTES)
    alert = {"labels": {"alertname": "A"}, "startsAt": when, "endsAt": "9999-12-31T23:59:59-14:00"}
    assert ask("POST", "/api/v2/alerts", services, json=[alert]).status_code == 200
    for path in ("/api/v2/alerts", "/api/v2/alerts/groups", "/api/v1/alerts"):
        assert ask("GET", path, services).status_code == 200, path
    told = ask("GET", "/api/v2/alerts", services).json()[0]
    assert (len(told["startsAt"]), told["endsAt"]) == (24, "9999-12-31T23:59:59.999Z")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_secret_of_a_ping_is_not_logged_whatever_the_method(
    services: Living, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = ask(method, f"/ping/{ID}", services)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert ID not in caplog.text.replace(f'{method} http://127.0.0.1:8080/ping/{ID} "', "")


def test_a_parameter_of_the_wrong_type_is_refused_in_our_words(services: Living) -> None:
    answer = ask("GET", f"{OURS}/dead-letters?limit=secret", services)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("limit: ")
    assert "secret" not in answer.text


def test_a_form_with_too_many_fields_is_bad_data() -> None:
    answer = ask("POST", "/api/v1/query", data={f"n{at}": "x" for at in range(101)})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")

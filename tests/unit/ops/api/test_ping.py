"""Ping URLs: what they say, to whom they answer, and what hostile callers get."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request

from ops.api import ping as module
from ops.api.ping import BURST, Pings, parsed
from ops.services import StageStatus
from schemas.errors import LogAway
from schemas.heartbeats import MAX_PING_BODY, Ping, Signal
from schemas.topics import ALERTS, CODEC
from tests.unit.ops.api.asking import GUARDED, ask
from tests.unit.ops.api.living import Living, living

ID = "3f2b6a0e-8a53-4c53-9a39-1d3c7f3d7c11"
KEY = "abcdefghijklmnopqrstuv"
RUN = "0b6bc2a5-3e10-4d6c-9a2f-4a1f6d6c1b7e"
ROUTES = f"""
route: {{receiver: r}}
receivers: [{{name: r}}]
ping_key: {KEY}
heartbeats: [{{name: backup, id: {ID}, period: 1h}}]
"""


def published(services: Living) -> list[Ping]:
    events = [CODEC.decode(message.value).event for message in services.publish.messages]
    assert {message.topic for message in services.publish.messages} <= {ALERTS}
    return [event for event in events if isinstance(event, Ping)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("secret", [ID, f"{KEY}/backup"])
@pytest.mark.parametrize(
    ("tail", "signal", "status"),
    [
        ("", Signal.SUCCESS, None),
        ("/start", Signal.START, None),
        ("/fail", Signal.FAIL, None),
        ("/log", Signal.LOG, None),
        ("/0", Signal.SUCCESS, 0),
        ("/255", Signal.FAIL, 255),
    ],
)
def test_every_url_says_what_healthchecks_io_means_by_it(
    method: str, secret: str, tail: str, signal: Signal, status: int | None
) -> None:
    services = living(ROUTES)
    answer = ask(method, f"/ping/{secret}{tail}", services, GUARDED)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; charset=utf-8",
    )
    assert answer.text == ("" if method == "HEAD" else "OK")
    assert published(services) == [Ping(heartbeat="backup", signal=signal, exit_status=status)]


def test_a_run_is_named_by_a_uuid_and_by_nothing_else() -> None:
    services = living(ROUTES)
    assert ask("GET", f"/ping/{ID}/start?rid={RUN.upper()}", services).status_code == 200
    assert ask("GET", f"/ping/{ID}?rid=x", services).status_code == 400
    assert [one.run for one in published(services)] == [RUN]


def test_what_a_job_says_is_kept_up_to_a_limit_and_a_long_log_costs_no_ping() -> None:
    services = living(ROUTES)
    long = "ä".encode() * (MAX_PING_BODY + 7) + b"\xff\x00"
    headers = {"content-length": str(len(long))}
    assert ask("POST", f"/ping/{ID}", services, content=long, headers=headers).text == "OK"
    assert ask("POST", f"/ping/{ID}", services, content=b"\xff\x00\x1b[2J").text == "OK"
    first, second = published(services)
    assert first.body == "ä" * (MAX_PING_BODY // 2)
    assert second.body == "\ufffd\x00\x1b[2J"


def test_a_body_above_every_limit_of_the_server_is_no_413() -> None:
    services = living(ROUTES)
    answer = ask("POST", f"/ping/{ID}", services, content=b"x" * 3_000_000)
    assert (answer.status_code, len(published(services))) == (200, 1)


def test_a_body_that_stalls_or_breaks_off_is_a_ping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_WITHIN", 0.01)

    async def stalls() -> AsyncIterator[bytes]:
        yield b"half"
        await asyncio.Event().wait()

    async def breaks() -> dict[str, object]:
        return {"type": "http.disconnect"}

    services = living(ROUTES)
    assert ask("POST", f"/ping/{ID}", services, content=stalls()).text == "OK"
    assert published(services)[0].body == "half"
    request = Request({"type": "http", "method": "POST", "headers": []}, breaks)
    assert asyncio.run(module._said(request)) == ""


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("unknown", 404),
        ("backup", 404),
        (f"{KEY}", 404),
        (f"{KEY}/other", 404),
        (f"wrong-key-wrong-key-wrong/backup/{'1'}", 404),
        (f"{ID}x", 404),
        (f"{ID.upper()}", 404),
        (f"{ID}/256", 400),
        (f"{ID}/-1", 404),
        (f"{ID}/9999999999999999999999", 400),
        (f"{ID}/%D9%A3", 404),
        (f"{ID}/start/fail/log", 400),
        (f"{ID}/", 400),
        ("", 400),
        ("/", 400),
        ("%00", 404),
        ("../../api/v2/alerts", 404),
        ("a" * 4_000, 404),
    ],
)
def test_what_nobody_knows_is_told_nothing(path: str, status: int) -> None:
    services = living(ROUTES)
    answer = ask("GET", f"/ping/{path}", services, GUARDED)
    assert answer.status_code in {status, 401}
    assert published(services) == []
    assert ID not in answer.text


def test_other_methods_and_the_bare_path_are_not_open() -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert ask(method, f"/ping/{ID}", living(ROUTES), GUARDED).status_code == 401
    assert ask("GET", "/ping", living(ROUTES), GUARDED).status_code == 401
    assert ask("GET", "/pingx", living(ROUTES), GUARDED).status_code == 401


def test_while_what_is_known_is_still_being_read_nobody_is_turned_away_for_good() -> None:
    services = living(ROUTES)
    services.stages = (StageStatus("router", healthy=True, ready=False),)
    answer = ask("GET", "/ping/unknown", services)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_log_that_does_not_answer_is_503() -> None:
    services = living(ROUTES)
    services.publish.publish = _away  # type: ignore[method-assign]
    assert ask("GET", f"/ping/{ID}", services).status_code == 503


def _away(*_: object) -> list[object]:
    raise LogAway("away")


def test_each_heartbeat_may_ping_so_often_and_no_oftener() -> None:
    time = [0.0]
    pings = Pings(living(ROUTES), lambda: time[0])
    assert all(pings.allows("a") for _ in range(round(BURST)))
    assert not pings.allows("a")
    assert pings.allows("b")
    time[0] = 1.5
    assert pings.allows("a")
    assert not pings.allows("a")


def test_too_many_are_told_so() -> None:
    services = living(ROUTES)

    async def many() -> list[int]:
        import httpx

        from ops.api.app import build
        from tests.unit.ops.api.asking import OPEN

        transport = httpx.ASGITransport(build(services, OPEN))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [(await client.get(f"/ping/{ID}")).status_code for _ in range(70)]

    statuses = asyncio.run(many())
    assert statuses[: round(BURST)] == [200] * round(BURST)
    assert statuses[-1] == 429


def test_which_heartbeats_there_are_is_asked_at_most_once_a_second() -> None:
    time, services, asked = [0.0], living(ROUTES), [0]
    real = services.remembered

    def counted(prefix: str) -> object:
        asked[0] += 1
        return real(prefix)

    services.remembered = counted  # type: ignore[method-assign,assignment]
    pings = Pings(services, lambda: time[0])
    for _ in range(100):
        assert pings.named("guess") is None
        assert pings.named(ID) == "backup"
    assert asked == [1]
    time[0] = 1.0
    assert pings.named(f"{KEY}/backup") == "backup"
    assert asked == [2]


def test_the_parts_of_a_path() -> None:
    assert parsed("a/b/7") == ("a/b", Signal.FAIL, 7)
    assert parsed("a/000") == ("a", Signal.SUCCESS, 0)
    assert parsed("a/b") == ("a/b", Signal.SUCCESS, None)


def test_the_list_shows_where_each_stands_and_no_secret() -> None:
    services = living(ROUTES)
    ask("POST", f"/ping/{ID}/3", services, content=b"<script>")
    answer = ask("GET", "/api/tocsin/v1/heartbeats", services)
    [one] = answer.json()["heartbeats"]
    assert (one["state"], one["exit_status"], one["last_body"]) == ("down", 3, "<script>")
    assert (one["schedule"], one["reason"]) == ("every 1h", "the job failed with exit status 3")
    assert ID not in answer.text
    assert KEY not in answer.text


def test_no_log_line_holds_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    services = living(ROUTES)
    services.publish.publish = _breaks  # type: ignore[method-assign]
    assert ask("GET", f"/ping/{ID}", services).status_code == 500
    [record] = [one for one in caplog.records if one.message == "request failed"]
    assert record.__dict__["path"] == "/ping/"


def _breaks(*_: object) -> list[object]:
    raise RuntimeError("broken")

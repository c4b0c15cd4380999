"""Explanations over HTTP, and their text for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from notifiers.explain.asked import Asked
from notifiers.explain.live import AlertNow, ChannelNow, Standing, WayNow
from ops.cli.alerts_explain import text_of
from ops.history.errors import HistoryAway
from schemas.alerts import AlertLevel, AlertState
from schemas.labels import fingerprint
from tests.support.fake_services import NOW, FakeServices
from tests.unit.ops.api.asking import GUARDED, ask

LABELS = {"alertname": "Hot", "room": "kitchen \x1b[31m"}
FINGERPRINT = fingerprint(LABELS)


def kitchen(what: Asked) -> Sequence[AlertNow]:
    level = AlertLevel(
        labels=LABELS, state=AlertState.FIRING, active_at=NOW - 60_000, starts_at=NOW - 30_000
    )
    channel = ChannelNow(
        "ops", "webhook", 0, Standing.TOLD, "told at 15:06:20", told_at=NOW - 20_000
    )
    way = WayNow("ops", ("{}", '{severity="high"}'), "g", NOW + 5_000, "i", (channel,))
    found = [AlertNow(FINGERPRINT, level, NOW, (way,))]
    return found if what.fingerprint == FINGERPRINT or what.labels else []


def away(sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    raise HistoryAway("history is away")


def empty(sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    return []


def test_one_alert_is_explained_by_its_fingerprint() -> None:
    services = FakeServices(explains=kitchen, rows=away)
    body = ask("GET", f"/api/tocsin/v1/alerts/{FINGERPRINT}/explain", services).json()
    assert body["answer"].startswith("You were paged because Hot")
    assert (body["paged"], body["state"], body["time"]) == (True, "firing", None)
    assert body["limits"] == "the past is only what the router remembers: history is away"
    assert body["ways"][0]["channels"][0]["told_at"] == NOW - 20_000


def test_an_alert_that_is_nowhere_is_404_with_a_sentence() -> None:
    services = FakeServices(rows=empty)
    answer = ask("GET", "/api/tocsin/v1/alerts/0000000000000000/explain", services)
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("no such alert and no such incident: 0000")
    answer = ask("GET", "/api/tocsin/v1/explain?ask=alertname=X", services)
    assert answer.json() == {
        "explanations": [],
        "more": False,
        "nothing": "no such alert: none with alertname=X, neither now nor in history",
    }


def test_what_asks_for_nothing_is_400() -> None:
    for query in ("", "?ask=", "?ask=a=b&ask=c", "?" + "&".join(["ask=a=b"] * 51)):
        assert ask("GET", f"/api/tocsin/v1/explain{query}").status_code == 400


def test_a_guarded_server_explains_to_nobody_without_a_token() -> None:
    for path in ("explain?ask=a=b", "alerts/0/explain"):
        assert ask("GET", f"/api/tocsin/v1/{path}", access=GUARDED).status_code == 401


def test_the_text_has_the_answer_first_and_no_control_character() -> None:
    services = FakeServices(explains=kitchen, rows=away)
    [one] = ask("GET", "/api/tocsin/v1/explain?ask=alertname=Hot", services).json()["explanations"]
    text = text_of(one)
    assert "\x1b" not in text
    first, *rest = text.splitlines()
    assert first.startswith("You were paged because Hot (room=kitchen \\x1b[31m) fires: ops")
    assert 'Path    root > {severity="high"} > ops' in rest
    assert rest[-1].startswith("the past is only what the router remembers")

"""`tocsin alerts explain` beside a running `tocsin up`: what was paged, what was not, and why."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.history_rows import Rows
from tests.support.sender import Sender
from tests.support.tocsin_process import Tocsin, run
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

RULES = """
groups:
  - name: scenario
    rules:
      - {alert: Hot, expr: heat > 90, for: 1s, labels: {severity: high}}
      - {alert: Slow, expr: slow > 0, for: 1h}
"""
ROUTES = """
suppression: tocsin
route:
  receiver: hook
  group_by: [alertname, room]
  group_wait: 0s
  group_interval: 1s
  routes: [{{matchers: [room="void"], receiver: nobody}}]
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
  - name: nobody
"""


@pytest.fixture(scope="module")
def phone() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture(scope="module")
def whole(phone: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tocsin]:
    home = tmp_path_factory.mktemp("explain")
    config = {"evaluation_interval": "500ms", "agent": {"instance": "here"}}
    routes = ROUTES.format(url=phone.url)
    with Tocsin(home, rules=RULES, routes=routes, config=config) as tocsin:
        yield tocsin.start().ready()


@pytest.fixture
def sender(whole: Tocsin) -> Iterator[Sender]:
    with Sender(whole.url, whole.token_file) as sender:
        yield sender


def explained(tocsin: Tocsin, *words: str) -> dict[str, Any]:
    """The only explanation."""
    done = run("alerts", "explain", *words, "--json", "--data", str(tocsin.data), cwd=tocsin.home)
    assert done.returncode == 0, done.stdout + done.stderr
    [one] = json.loads(done.stdout)["explanations"]
    assert isinstance(one, dict)
    return one


def text(tocsin: Tocsin, *words: str) -> str:
    return run("alerts", "explain", *words, "--data", str(tocsin.data), cwd=tocsin.home).stdout


def silence(tocsin: Tocsin, room: str) -> str:
    now = datetime.now(UTC)
    body = {
        "matchers": [{"name": "room", "value": room, "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "ada",
        "comment": "new disks \x1b[31m",
    }
    answer = httpx.post(f"{tocsin.url}/api/v2/silences", json=body)
    return str(answer.json()["silenceID"])


def test_a_page_says_why_which_way_it_went_and_where_the_time_went(
    whole: Tocsin, phone: Webhook, sender: Sender
) -> None:
    sender.send("heat", 95, room="kitchen")
    eventually(lambda: "kitchen" in phone.told("room", "firing"))
    with Rows(whole.data) as rows:
        rows.caught_up()
    eventually(lambda: explained(whole, "room=kitchen")["time"] is not None)
    one = explained(whole, "alertname=Hot", "room=kitchen")
    assert one["answer"].startswith(
        "You were paged because Hot (instance=hand, room=kitchen, severity=high)"
    )
    assert (one["paged"], one["state"], one["limits"]) == (True, "firing", "")
    [way] = one["ways"]
    assert way["route"] == ["{}"]
    [channel] = way["channels"]
    assert (channel["channel"], channel["standing"]) == ("webhook", "told")
    whats = [each["what"] for each in one["timeline"]]
    assert whats[:3] == ["pending", "firing", "sent"]
    assert "delivered" in whats
    parts = one["time"]["parts"]
    assert [part["name"] for part in parts] == [
        *("sample", "for", "detection", "waiting", "routing", "delivery"),
    ]
    assert sum(part["ms"] or 0 for part in parts) == one["time"]["total"]
    assert all(part["ms"] is not None for part in parts)
    assert parts[0]["ms"] < 5_000
    assert parts[1]["ms"] >= 1_000
    assert f"incident {way['incident']}" in text(whole, one["fingerprint"])
    assert explained(whole, way["incident"])["fingerprint"] == one["fingerprint"]


def test_nobody_is_paged_for_what_is_silenced_and_the_answer_says_by_whom(
    whole: Tocsin, phone: Webhook, sender: Sender
) -> None:
    name = silence(whole, "attic")
    sender.send("heat", 96, room="attic")
    eventually(
        lambda: (
            "attic" in str(whole.json("/api/tocsin/v1/alerts"))
            and explained(whole, "room=attic")["state"] == "firing"
        )
    )
    with Rows(whole.data) as rows:
        rows.caught_up()
        held = rows.ask(
            "SELECT decision, causes FROM decision_history WHERE has(held, {f:String})",
            f=explained(whole, "room=attic")["fingerprint"],
        )
    assert held == [("keep quiet", [[f"silence/{name}"]])]
    one = explained(whole, "room=attic")
    assert not one["paged"]
    assert one["answer"].startswith(
        "Nobody was paged for Hot (instance=hand, room=attic, severity=high)"
    )
    assert f"silenced by {name} of ada until" in one["answer"]
    assert [each["what"] for each in one["timeline"]] == ["pending", "firing", "held"]
    shown = text(whole, "room=attic")
    assert "new disks \\x1b[31m" in shown
    assert "\x1b" not in shown
    assert "attic" not in phone.told("room", "firing")
    answer = whole.json(f"/api/tocsin/v1/alerts/{one['fingerprint']}/explain")
    assert answer["answer"] == one["answer"]


def test_a_receiver_without_channels_and_what_is_only_pending_are_answers_too(
    whole: Tocsin, sender: Sender
) -> None:
    sender.send("heat", 97, room="void")
    sender.send("slow", 1, room="porch")
    listed = "/api/tocsin/v1/alerts"
    eventually(lambda: "porch" in str(whole.json(listed)) and "void" in str(whole.json(listed)))
    assert "Nobody was paged because Slow" in explained(whole, "room=porch")["answer"]
    eventually(lambda: explained(whole, "room=void")["state"] == "firing")
    said = explained(whole, "room=void")["answer"]
    assert said.endswith("routed to receiver nobody that has no channels.")


def test_what_does_not_exist_ends_with_1_and_names_the_last_of_that_name(whole: Tocsin) -> None:
    done = run(
        *("alerts", "explain", "alertname=Hot", "room=moon", "--data", str(whole.data)),
        cwd=whole.home,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("no such alert; the last one with this name, Hot (instance=")
    assert whole.get("/api/tocsin/v1/alerts/0000000000000000/explain").status_code == 404
    assert whole.get("/api/tocsin/v1/explain").status_code == 400


def test_without_history_the_router_answers_alone_and_says_so(tmp_path: Path) -> None:
    only = ["detector", "router", "courier", "console"]
    with Webhook() as phone:
        routes = ROUTES.format(url=phone.url)
        with Tocsin(tmp_path, rules=RULES, routes=routes, only=only) as tocsin:
            tocsin.start().ready()
            with Sender(tocsin.url, tocsin.token_file) as sender:
                sender.send("heat", 99, room="hall")
            eventually(lambda: "hall" in phone.told("room", "firing"))
            eventually(lambda: explained(tocsin, "room=hall")["paged"])
            one = explained(tocsin, "room=hall")
            assert "the past is only what the router remembers" in one["limits"]
            assert one["time"] is None
            assert [each["what"] for each in one["timeline"]] == ["pending", "firing", "told"]

"""In Alertmanager's place, as its users run it: one routing file, signals, reloads, restarts."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.tocsin_process import Command
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

ROUTES = """
route:
  receiver: team
  group_wait: 0s
  group_interval: 1s
receivers:
- name: team
  webhook_configs: [{{url: "{url}"}}]
"""
MORE = """- name: other
"""
BROKEN = """- name: team
"""
UNTIL = "2099-01-01T00:00:00Z"


class DropIn(Command):
    """The documented command, on one data directory."""

    def __init__(self, home: Path, url: str, *more: str) -> None:
        self.routes = home / "alertmanager.yml"
        self.routes.write_text(ROUTES.format(url=url))
        only = ("--only", "router,courier,console", "--route-prefix", "/am")
        where = ("--listen", "127.0.0.1:0", "--data", "data")
        super().__init__(home, "up", *only, "--routes", "alertmanager.yml", *where, *more)
        self.url = ""

    def start(self) -> None:
        self.begin()
        address = eventually(self._address, 60, self.tail)
        self.url = f"http://{address}/am"

    def _address(self) -> str:
        assert self.running, self.tail()
        for line in self.said.splitlines():
            if line.startswith("Listening on address="):
                return line.partition("=")[2]
        return ""

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return httpx.request(method, self.url + path, json=body, trust_env=False, timeout=30)

    def alerts(self) -> dict[str, list[str]]:
        """The alerts by name, and the silences that hide each."""
        found = self.ask("GET", "/api/v2/alerts").raise_for_status().json()
        return {one["labels"]["alertname"]: one["status"]["silencedBy"] for one in found}

    def post(self, *names: str) -> None:
        alerts = [{"labels": {"alertname": name}, "endsAt": UNTIL} for name in names]
        assert self.ask("POST", "/api/v2/alerts", alerts).status_code == 200


@pytest.fixture
def server(tmp_path: Path, receiver: Webhook) -> Iterator[DropIn]:
    with DropIn(tmp_path, receiver.url) as server:
        server.start()
        yield server


def silence(server: DropIn, name: str) -> str:
    answer = asked_to_silence(server, "alertname", name)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["silenceID"])


def asked_to_silence(server: DropIn, label: str, value: str) -> httpx.Response:
    body = {
        "matchers": [{"name": label, "value": value, "isRegex": False}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": UNTIL,
        "createdBy": "ada",
        "comment": "later",
    }
    return server.ask("POST", "/api/v2/silences", body)


def told(receiver: Webhook) -> list[tuple[str, str]]:
    return [
        (one.status, name) for one in receiver.pages for name in sorted(one.labels("alertname"))
    ]


def test_a_restart_keeps_alerts_silences_and_what_was_told(
    server: DropIn, receiver: Webhook
) -> None:
    assert server.ask("GET", "/-/healthy").status_code == 200
    assert server.ask("GET", "/-/ready").status_code == 200
    hidden = silence(server, "Hidden")
    server.post("Hidden")
    server.post("Told")
    eventually(lambda: told(receiver) == [("firing", "Told")])

    asked = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.ended(within=10) == 0, "SIGTERM ends it within 10 s"
    assert time.monotonic() - asked < 10
    server.start()

    assert server.alerts() == {"Hidden": [hidden], "Told": []}
    server.ask("DELETE", f"/api/v2/silence/{hidden}").raise_for_status()
    eventually(lambda: ("firing", "Hidden") in told(receiver))
    ids = {page.key for page in receiver.pages}
    assert len(ids) == len(receiver.pages), "nothing is told twice"


def test_reload_keeps_timers_and_state_and_a_broken_file_says_why(
    server: DropIn, receiver: Webhook
) -> None:
    hidden = silence(server, "Hidden")
    server.post("Hidden", "Told")
    eventually(lambda: told(receiver) == [("firing", "Told")])

    text = server.routes.read_text()
    server.routes.write_text(text + BROKEN)
    refused = server.ask("POST", "/-/reload")
    assert refused.status_code >= 400
    assert "alertmanager.yml:9: receivers[1].name" in refused.text, refused.text
    assert "is not unique" in refused.text
    server.signal(signal.SIGHUP)
    assert server.ask("GET", "/api/v2/receivers").json()[0]["name"] == "team"

    server.routes.write_text(text + MORE)
    assert server.ask("POST", "/-/reload").status_code == 200
    names = [one["name"] for one in server.ask("GET", "/api/v2/receivers").json()]
    assert sorted(names) == ["other", "team"]
    assert server.alerts() == {"Hidden": [hidden], "Told": []}
    server.routes.write_text(text)
    server.signal(signal.SIGHUP)
    eventually(lambda: len(server.ask("GET", "/api/v2/receivers").json()) == 1)
    assert told(receiver) == [("firing", "Told")], "a reload tells nobody anything"


@pytest.mark.parametrize(("mode", "takes"), [("classic", False), ("utf8", True)])
def test_the_mode_of_matchers_holds_for_the_api_and_for_the_file(
    mode: str, takes: bool, tmp_path: Path, receiver: Webhook
) -> None:
    with DropIn(tmp_path, receiver.url, "--matchers", mode) as server:
        server.start()
        asked = asked_to_silence(server, "a room", "kitchen")
        assert (asked.status_code, "invalid label name" in asked.text) == (
            (200, False) if takes else (400, True)
        )
        before, _, after = server.routes.read_text().partition("  group_wait")

        def takes_line(line: str) -> bool:
            server.routes.write_text(f"{before}  {line}\n  group_wait{after}")
            return server.ask("POST", "/-/reload").status_code == 200

        assert takes_line("group_by: [a room]") is takes
        # Words without quotes are of the classic grammar alone.
        assert takes_line("routes: [{matchers: ['a=b c']}]") is not takes

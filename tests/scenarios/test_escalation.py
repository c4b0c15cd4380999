"""Two people, one command: who acknowledges in time spares the next; who does not, does not."""

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
  receiver: ada
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  escalation_policy: quick
receivers:
- name: ada
  webhook_configs: [{{url: "{ada}"}}]
- name: bob
  webhook_configs: [{{url: "{bob}"}}]
users:
- {{name: ada, contacts: [ada]}}
- {{name: bob, contacts: [bob]}}
schedules:
- name: backup
  layers: [{{users: [ada], rotation: daily, start: 2026-01-01T00:00}}]
escalation_policies:
- name: quick
  steps:
  - {{notify: [{{user: ada}}], wait: 2s}}
  - {{notify: [{{schedule: backup}}], wait: 1s}}
"""
"""Ada has the backup, too, until somebody takes it over."""
UNTIL = "2099-01-01T00:00:00Z"


class OnCall(Command):
    """Router, courier and console of one machine."""

    def __init__(self, home: Path, ada: str, bob: str) -> None:
        (home / "routes.yml").write_text(ROUTES.format(ada=ada, bob=bob))
        only = ("--only", "router,courier,console", "--routes", "routes.yml")
        super().__init__(home, "up", *only, "--listen", "127.0.0.1:0", "--data", "data")
        self.url = ""

    def start(self) -> None:
        self.begin()
        self.url = f"http://{eventually(self._address, 60, self.tail)}"

    def _address(self) -> str:
        assert self.running, self.tail()
        lines = [one for one in self.said.splitlines() if one.startswith("Listening on address=")]
        return lines[0].partition("=")[2] if lines else ""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, self.url + path, json=body, trust_env=False, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def post(self, name: str) -> None:
        self.ask("POST", "/api/v2/alerts", [{"labels": {"alertname": name}, "endsAt": UNTIL}])


@pytest.fixture
def bob() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def server(tmp_path: Path, receiver: Webhook, bob: Webhook) -> Iterator[OnCall]:
    with OnCall(tmp_path, receiver.url, bob.url) as server:
        server.start()
        yield server


def names(webhook: Webhook) -> list[str]:
    return [name for page in webhook.pages for name in sorted(page.labels("alertname"))]


def test_an_acknowledgement_over_the_api_stops_the_second_step(
    server: OnCall, receiver: Webhook, bob: Webhook
) -> None:
    body = {"schedule": "backup", "user": "bob", "from": "2026-01-01T00:00:00Z", "to": UNTIL}
    server.ask("POST", "/api/tocsin/v1/oncall/overrides", body)
    assert server.ask("GET", "/api/tocsin/v1/oncall")["schedules"][0]["user"] == "bob"

    server.post("taken")
    eventually(lambda: "taken" in names(receiver), 30, server.tail)
    [incident] = server.ask("GET", "/api/tocsin/v1/incidents")["incidents"]
    acknowledge = f"/api/tocsin/v1/incidents/{incident['id']}/acknowledge"
    server.ask("POST", acknowledge, {"by": "ada"})

    # This one nobody takes, and it began later: once it has come to bob, so would have the other.
    server.post("left")
    eventually(lambda: "left" in names(bob), 30, server.tail)
    assert "taken" not in names(bob)
    assert names(receiver).count("left") == 1

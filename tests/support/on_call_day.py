"""A day of people on call, from a process that never fails: what is posted, silenced, taken on.

Whatever the server does not answer is sent again until it does, as Prometheus and people do it.
Each life is one alert with a group of its own. Some lives are silenced before they begin and
freed while they fire; some are acknowledged after their first page.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.support.waiting import eventually
from tests.support.webhook import Webhook

ROUTES = """
suppression: tocsin
route:
  receiver: team
  group_by: [life]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 12h
  routes:
  - {{receiver: team, matchers: [kind = "acknowledged"], repeat_interval: 2s}}
receivers:
- name: team
  webhook_configs: [{{url: "{url}"}}]
"""
ONLY = ("router", "courier", "console")
KINDS = ("plain", "silenced", "acknowledged")


@dataclass(slots=True)
class Life:
    """One alert; `silence` is every id that was given to its silence."""

    name: str
    kind: str
    began: datetime
    silences: list[str] = field(default_factory=list)
    incident: str = ""
    over: bool = False


class Day:
    """Lives one after another, in a thread, until `finish`."""

    def __init__(self, url: Callable[[], str], receiver: Webhook, seed: int, every: float) -> None:
        self.lives: list[Life] = []
        self.fault: BaseException | None = None
        self._url, self._receiver, self._every = url, receiver, every
        self._chance = random.Random(seed)
        self._stop, self._abandon = threading.Event(), threading.Event()
        self._client = httpx.Client(trust_env=False, timeout=10.0)
        self._thread = threading.Thread(target=self._run, name="day")

    @property
    def born(self) -> int:
        """How many lives have begun."""
        return len(self.lives)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, within: float = 120.0) -> None:
        """No more lives; wait until those that are there have ended."""
        self._stop.set()
        self._thread.join(within)
        assert not self._thread.is_alive(), "the day did not end"
        self._client.close()
        if self.fault is not None:
            raise self.fault

    def abandon(self) -> None:
        """End whatever it is doing."""
        self._abandon.set()
        self._stop.set()
        self._thread.join(30)
        self._client.close()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._begin()
                self._stop.wait(self._every)
                if len(self.lives) > 3:
                    self._end(self._chance.choice([one for one in self.lives if not one.over]))
            for life in self.lives:
                if not life.over:
                    self._end(life)
        except BaseException as fault:
            self.fault = fault

    def _begin(self) -> None:
        number = len(self.lives)
        life = Life(f"life-{number}", KINDS[number % len(KINDS)], datetime.now(UTC))
        if life.kind == "silenced":
            self._silence(life)
        self._post(life)
        self.lives.append(life)
        if life.kind == "acknowledged":
            self._told(life, "firing")
            self._acknowledge(life)

    def _end(self, life: Life) -> None:
        if life.kind == "silenced":
            assert life.name not in self._receiver.told("life", "firing"), "told though silenced"
            self._free(life)
        # What resolves before it was told is told neither way; here everything is to be told.
        self._told(life, "firing")
        self._post(life, over=True)
        life.over = True

    def _told(self, life: Life, status: str) -> None:
        eventually(
            lambda: self._abandon.is_set() or life.name in self._receiver.told("life", status),
            60,
            f"{life.name} ({life.kind}) is {status}",
        )

    def _post(self, life: Life, *, over: bool = False) -> None:
        ends = datetime.now(UTC) if over else life.began + timedelta(hours=1)
        alert = {
            "labels": {"alertname": "Life", "life": life.name, "kind": life.kind},
            "startsAt": life.began.isoformat(),
            "endsAt": ends.isoformat(),
        }
        self._ask("POST", "/api/v2/alerts", [alert])

    def _silence(self, life: Life) -> None:
        matcher = {"name": "life", "value": life.name, "isRegex": False}
        silence = {
            "matchers": [matcher],
            "startsAt": datetime.now(UTC).isoformat(),
            "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            "createdBy": "day",
            "comment": "later",
        }
        life.silences.append(self._ask("POST", "/api/v2/silences", silence)["silenceID"])

    def _free(self, life: Life) -> None:
        # An answer that was lost left a silence that this side has no id of.
        for found in self._ask("GET", f'/api/v2/silences?filter=life="{life.name}"'):
            if found["status"]["state"] != "expired":
                self._ask("DELETE", f"/api/v2/silence/{found['id']}")

    def _acknowledge(self, life: Life) -> None:
        for incident in self._ask("GET", "/api/tocsin/v1/incidents")["incidents"]:
            if incident["labels"].get("life") == life.name and incident["state"] == "open":
                life.incident = incident["id"]
                way = f"/api/tocsin/v1/incidents/{life.incident}/acknowledge"
                self._ask("POST", way, {"by": "day"})

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        while not self._abandon.is_set():
            try:
                answer = self._client.request(method, self._url() + path, json=body)
            except httpx.HTTPError:
                time.sleep(0.05)  # the server is being started again
                continue
            if answer.status_code < 300:
                return answer.json() if answer.content else None
            assert answer.status_code in {404, 503}, (path, answer.status_code, answer.text)
            if answer.status_code == 404 and method == "DELETE":
                return None
            time.sleep(0.05)
        raise InterruptedError("the day was abandoned")

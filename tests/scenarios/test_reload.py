"""Rules change while alerts wait: each way to reload, a broken file, and a crash in between."""

import signal
from pathlib import Path
from typing import Any

import httpx

from tests.support.sender import Sender
from tests.support.tocsin_process import Tocsin
from tests.support.waiting import eventually

WAITS = 12_000
RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Waits, expr: heat > 90, for: 12s}
"""
MORE = "      - {alert: %s, expr: heat > 90}\n"
BROKEN = "      - {alert: Never, expr: 'heat >'}\n"


def test_a_pending_alert_outlives_every_reload_a_broken_file_and_a_crash(tmp_path: Path) -> None:
    with Tocsin(tmp_path, rules=RULES, only=("detector", "router", "console")) as tocsin:
        tocsin.start().ready()
        with Sender(tocsin.url, tocsin.token_file) as sender:
            sender.send("heat", 95.0, room="attic")
        waiting = eventually(lambda: state(tocsin, "Waits"))
        assert waiting["state"] == "pending"

        text = RULES + MORE % "ByWatch"
        tocsin.rules.write_text(text)
        eventually(lambda: state(tocsin, "ByWatch"))

        text += MORE % "BySignal"
        tocsin.rules.write_text(text)
        tocsin.signal(signal.SIGHUP)
        eventually(lambda: state(tocsin, "BySignal"))

        tocsin.rules.write_text(text + BROKEN)
        refused = httpx.post(f"{tocsin.url}/-/reload", trust_env=False)
        assert refused.status_code == 400
        assert "rules.yml:9: groups[0].rules[3].expr" in refused.text
        assert "rules.yml:9" in tocsin.get("/health").text

        tocsin.kill()
        tocsin.start()  # the file is still broken: it goes on with what was in force

        fired = eventually(lambda: firing(tocsin, "Waits"), 40)
        assert fired["active_at"] == waiting["active_at"]
        assert WAITS <= fired["starts_at"] - fired["active_at"] < WAITS + 20_000
        assert state(tocsin, "BySignal")["state"] == "firing"

        tocsin.rules.write_text(RULES + MORE % "ByRequest")
        assert httpx.post(f"{tocsin.url}/-/reload", trust_env=False).status_code == 200
        eventually(lambda: state(tocsin, "ByRequest"))
        eventually(lambda: state(tocsin, "ByWatch").get("state") == "resolved")
        assert state(tocsin, "Waits")["starts_at"] == fired["starts_at"]


def state(tocsin: Tocsin, name: str) -> dict[str, Any]:
    alerts = tocsin.json("/api/tocsin/v1/alerts")["alerts"]
    found: list[dict[str, Any]] = [a for a in alerts if a["labels"]["alertname"] == name]
    return found[0] if found else {}


def firing(tocsin: Tocsin, name: str) -> dict[str, Any]:
    found = state(tocsin, name)
    return found if found.get("state") == "firing" else {}

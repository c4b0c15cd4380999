"""An incident from its first page to its resolution, through the command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.tocsin_process import Tocsin, run
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

ROUTES = """
route:
  receiver: team
  group_by: [service]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 2s
receivers:
- name: team
  webhook_configs: [{{url: "{url}"}}]
"""
HOSTILE = "\x1b[2J<script>alert(1)</script> | **bold**\n# head"


@pytest.fixture
def tocsin(tmp_path: Path, receiver: Webhook) -> Iterator[Tocsin]:
    with Tocsin(tmp_path / "home", routes=ROUTES.format(url=receiver.url)) as process:
        yield process.start()


def post(tocsin: Tocsin, *names: str) -> None:
    alerts = [
        {"labels": {"alertname": name, "service": "shop"}, "annotations": {"summary": HOSTILE}}
        for name in names
    ]
    assert httpx.post(f"{tocsin.url}/api/v2/alerts", json=alerts, trust_env=False).is_success


def said(tocsin: Tocsin, *arguments: str, code: int = 0) -> str:
    ran = run(*arguments, "--data", str(tocsin.data), cwd=tocsin.home)
    assert ran.returncode == code, (ran.returncode, ran.stdout, ran.stderr)
    return ran.stdout if code < 2 else ran.stderr


def told(tocsin: Tocsin, *arguments: str, code: int = 0) -> Any:
    return json.loads(said(tocsin, *arguments, "--json", code=code))


def test_from_the_first_page_to_the_export(tocsin: Tocsin, receiver: Webhook) -> None:
    post(tocsin, "DiskFull")
    eventually(lambda: len(receiver.pages) >= 2, what="the page, and its repeat")
    (incident,) = told(tocsin, "incidents", "list", code=1)["incidents"]
    fingerprint = told(tocsin, "incidents", "show", incident["id"])["alerts"][0]["fingerprint"]

    taken = told(tocsin, "alerts", "ack", fingerprint, "--by", "ada", "--note", "on it")
    assert (taken["id"], taken["state"]) == (incident["id"], "acknowledged")
    paged = len(receiver.pages)
    flushes = tocsin.figure("tocsin_log_appended_total", topic="tocsin.alerts")
    eventually(lambda: looked(tocsin, flushes), what="five more looks at the group")
    assert len(receiver.pages) == paged

    post(tocsin, "CpuHigh")
    eventually(lambda: len(receiver.pages) > paged, what="the page for the second alert")
    assert receiver.pages[-1].labels("alertname") == {"DiskFull", "CpuHigh"}

    said(tocsin, "alerts", "note", incident["id"][:8], HOSTILE, "--by", "bob")
    over = told(tocsin, "alerts", "resolve", incident["id"], "--note", "disk swapped",
                "--by", "ada", "--false-positive")  # fmt: skip
    assert over["state"] == "resolved"
    assert over["false_positive"]

    exported = told(tocsin, "incidents", "export", incident["id"], "--format", "json")
    whats = [line["what"] for line in exported["timeline"]]
    for what in ("opened", "delivered", "acknowledged", "alerts joined", "note", "resolved",
                 "false positive"):  # fmt: skip
        assert what in whats, whats
    page = said(tocsin, "incidents", "export", incident["id"])
    assert "disk swapped" in page
    assert "<script>" not in page
    assert "\x1b" not in page
    assert r"\*\*bold\*\*" in page
    shown = said(tocsin, "alerts", "show", incident["id"])
    assert "\x1b" not in shown
    assert said(tocsin, "alerts", "ack", incident["id"], "--by", "eve", code=2)
    assert "no incident" in said(tocsin, "alerts", "ack", "cafebabe", "--by", "eve", code=2)

    def counted() -> dict[str, Any]:
        found: dict[str, Any] = told(tocsin, "incidents", "statistics")["all"]
        assert found["resolved"] == 1
        return found

    figures = eventually(counted, what="the incident in history")
    assert figures["incidents"] == figures["acknowledged"] == figures["false_positives"] == 1
    assert figures["time_to_acknowledge"]["p90"] <= figures["time_to_resolve"]["p90"]
    assert figures["delivered_share"] == 1.0


def looked(tocsin: Tocsin, before: float) -> bool:
    return tocsin.figure("tocsin_log_appended_total", topic="tocsin.alerts") >= before + 5


def test_without_history_statistics_say_so(tmp_path: Path, receiver: Webhook) -> None:
    routes = ROUTES.format(url=receiver.url)
    only = ("router", "courier", "console")
    with Tocsin(tmp_path / "home", routes=routes, only=only) as process:
        tocsin = process.start()
        assert "keeps no history" in said(tocsin, "incidents", "statistics", code=3)

"""amtool and Prometheus, as they are, with `tocsin up` in Alertmanager's place."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential.alertmanager import amtool
from tests.differential.server import prometheus
from tests.support.tocsin_process import Tocsin
from tests.support.waiting import eventually

ROUTES = """
route:
  receiver: team
  group_by: [alertname]
  routes:
  - {receiver: database, matchers: ['team="db"']}
receivers:
- name: team
  webhook_configs: [{url: "http://127.0.0.1:9/secret"}]
- name: database
"""
ONLY = ("router", "courier", "console")
needs_amtool = pytest.mark.skipif(not amtool(), reason="no amtool here: make peers builds it")


@pytest.fixture
def tocsin(tmp_path: Path) -> Iterator[Tocsin]:
    with Tocsin(tmp_path / "home", routes=ROUTES, only=ONLY) as process:
        yield process.start().ready()


def said(tocsin: Tocsin, *arguments: str, fails: bool = False) -> str:
    """What amtool answers."""
    ran = subprocess.run(
        [amtool() or "amtool", f"--alertmanager.url={tocsin.url}", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tocsin.home)},
    )
    assert (ran.returncode != 0) is fails, ran.stderr
    return (ran.stderr if fails else ran.stdout).strip()


@needs_amtool
def test_amtool_adds_and_finds_alerts_and_silences_them(tocsin: Tocsin) -> None:
    said(tocsin, "alert", "add", "alertname=A", "team=db", "--annotation=summary=s")
    assert [
        alert["labels"] for alert in json.loads(said(tocsin, "alert", "query", "-o", "json"))
    ] == [{"alertname": "A", "team": "db"}]
    silence = said(tocsin, "silence", "add", "alertname=A", "-a", "me", "-c", "why")
    assert said(tocsin, "silence", "query", "-q") == silence
    assert said(tocsin, "alert", "query", "-o", "simple", "--active").splitlines()[1:] == []
    suppressed = json.loads(said(tocsin, "alert", "query", "--silenced", "-o", "json"))
    assert suppressed[0]["status"]["silencedBy"] == [silence]
    said(tocsin, "silence", "update", "-d", "2h", silence)
    assert said(tocsin, "silence", "query", "-q", "alertname=A") == silence
    said(tocsin, "silence", "expire", silence)
    assert said(tocsin, "silence", "query", "-q") == ""
    assert said(tocsin, "silence", "query", "--expired", "-q") == silence
    assert "A" in said(tocsin, "alert", "query", "--active")
    assert "[404]" in said(
        tocsin, "silence", "expire", "11111111-1111-4111-8111-111111111111", fails=True
    )


@needs_amtool
def test_amtool_imports_what_it_exported(tocsin: Tocsin) -> None:
    for name in "AB":
        said(tocsin, "silence", "add", f"alertname={name}", "-a", "me", "-c", "why")
    exported = tocsin.home / "silences.json"
    exported.write_text(said(tocsin, "silence", "query", "-o", "json"))
    said(tocsin, "silence", "expire", *said(tocsin, "silence", "query", "-q").split())
    said(tocsin, "silence", "import", "--force", str(exported))
    found = json.loads(said(tocsin, "silence", "query", "-o", "json"))
    assert sorted(one["matchers"][0]["value"] for one in found) == ["A", "B"]


@needs_amtool
def test_amtool_reads_the_configuration_and_the_cluster(tocsin: Tocsin) -> None:
    shown = said(tocsin, "config", "show")
    assert "<secret>" in shown
    assert "9/secret" not in shown
    assert "database" in said(tocsin, "config", "routes", "show")
    assert said(tocsin, "config", "routes", "test", "team=db") == "database"
    assert said(tocsin, "config", "routes", "test", "team=web") == "team"
    assert re.search(r"Cluster Status:\s+ready", said(tocsin, "cluster", "show"))
    assert "SUCCESS" in said(tocsin, "check-config", str(tocsin.routes))


@pytest.mark.skipif(not prometheus(), reason="no prometheus here: make peers builds it")
def test_prometheus_sends_its_alerts(tocsin: Tocsin, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]"
    )
    (tmp_path / "prometheus.yml").write_text(
        "global: {evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{tocsin.address}']}}]}}]}}\n"
    )
    arguments = [
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/prometheus",
        "--web.listen-address=127.0.0.1:0",
        # What is not taken at once, by a server that is still starting, comes again soon.
        "--rules.alert.resend-delay=1s",
    ]
    process = subprocess.Popen(
        [prometheus() or "prometheus", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:

        def arrived() -> list[str]:
            alerts = tocsin.json("/api/v2/alerts")
            return [
                alert["generatorURL"] for alert in alerts if alert["endsAt"] > alert["startsAt"]
            ]

        assert len(eventually(arrived, 60.0)) == 1
    finally:
        process.terminate()
        process.wait(30)

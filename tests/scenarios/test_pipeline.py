"""The whole pipeline in one process, from a sample to a page, to history, and to its end."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.cli.query import when
from schemas.deliveries import Decision, Why
from schemas.topics import HISTORY
from tests.support.history_rows import Rows
from tests.support.log_file import LogFile
from tests.support.sender import Sender
from tests.support.tocsin_process import Tocsin, gone, run
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

RULES = """
groups:
  - name: scenario
    rules:
      - alert: Hot
        expr: heat > 90
        for: 1s
        labels: {severity: high}
        annotations: {summary: "{{ $labels.room }} is at {{ $value }}"}
      - alert: CheckFailing
        expr: probe_success == 0
        labels: {severity: high}
"""
ROUTES = """
route:
  {{receiver: hook, group_by: [alertname, room, check], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""


@pytest.fixture(scope="module")
def phone() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture(scope="module")
def whole(phone: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tocsin]:
    """Everything that `tocsin up` runs, watching this host and a site that is down."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and not listening: a connection is refused
        site = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        check = {"name": "shop", "url": site, "interval": "1s", "timeout": "1s"}
        config = {
            "evaluation_interval": "1s",
            "agent": {"instance": "here", "interval": "1s", "checks": [check]},
        }
        home = tmp_path_factory.mktemp("whole")
        routes = ROUTES.format(url=phone.url)
        with Tocsin(home, rules=RULES, routes=routes, config=config) as tocsin:
            yield tocsin.start().ready()


@pytest.fixture
def sender(whole: Tocsin) -> Iterator[Sender]:
    with Sender(whole.url, whole.token_file) as sender:
        yield sender


def _alert(tocsin: Tocsin, room: str) -> dict[str, Any]:
    alerts = tocsin.json("/api/tocsin/v1/alerts")["alerts"]
    found: list[dict[str, Any]] = [each for each in alerts if each["labels"].get("room") == room]
    return found[0] if found else {}


def _value(tocsin: Tocsin, expr: str) -> str:
    """The one value of an instant query; empty while there is none."""
    result = tocsin.json("/api/v1/query", query=expr)["data"]["result"]
    return result[0]["value"][1] if len(result) == 1 else ""


def test_a_breach_goes_pending_firing_paged_resolved_and_all_of_it_into_history(
    whole: Tocsin, phone: Webhook, sender: Sender
) -> None:
    sender.send("heat", 95.5, room="kitchen")
    eventually(lambda: _alert(whole, "kitchen").get("state") == "firing")
    eventually(lambda: "kitchen" in phone.told("room", "firing"))

    listed = run("alerts", "list", "--json", "--data", str(whole.data), cwd=whole.home)
    assert listed.returncode == 1, listed.stderr
    [alert] = [a for a in json.loads(listed.stdout)["alerts"] if a["labels"].get("room")]
    assert alert["state"] == "firing"
    assert alert["labels"]["alertname"] == "Hot"
    assert alert["annotations"]["summary"] == "kitchen is at 95.5"

    eventually(lambda: _value(whole, 'heat{room="kitchen"}') == "95.5")
    asked = run("query", 'heat{room="kitchen"} * 2', "--json", "--data", "data", cwd=whole.home)
    assert asked.returncode == 0, asked.stderr
    assert "191" in asked.stdout

    sender.send("heat", 20.0, room="kitchen")
    eventually(lambda: "kitchen" in phone.told("room", "resolved"))
    eventually(lambda: _alert(whole, "kitchen").get("state") == "resolved")

    pages = [page for page in phone.pages if "kitchen" in page.labels("room")]
    assert [page.status for page in pages] == ["firing", "resolved"]
    assert len({page.key for page in pages}) == 2
    assert pages[0].body["version"] == "4"
    assert pages[0].body["groupLabels"] == {"alertname": "Hot", "room": "kitchen"}

    with Rows(whole.data) as rows:
        rows.caught_up()
        rows.check_records()
        hot = "labels['room'] = 'kitchen'"
        states = rows.ask(f"SELECT state FROM alert_history WHERE {hot} ORDER BY time")
        assert [state for (state,) in states] == ["pending", "firing", "resolved"]
        values = rows.ask(f"SELECT value FROM metrics WHERE name = 'heat' AND {hot} ORDER BY time")
        assert values == [(95.5,), (20.0,)]
        for page in pages:
            told = rows.ask(
                "SELECT status, attempt FROM delivery_history WHERE delivery = {id:String}"
                " ORDER BY time, status = 'delivered'",
                id=page.key,
            )
            assert told == [("intended", 1), ("delivered", 1)]
            why = rows.ask(
                "SELECT decision, reason FROM decision_history WHERE delivery = {id:String}",
                id=page.key,
            )
            first = Why.FIRST if page.status == "firing" else Why.ALL_RESOLVED
            assert why == [("tell", str(first))]


def test_a_backtest_finds_the_alert_at_the_very_times_it_had_live(
    whole: Tocsin, sender: Sender
) -> None:
    sender.send("heat", 95.5, room="loft")
    eventually(lambda: _alert(whole, "loft").get("state") == "firing")
    live = _alert(whole, "loft")
    eventually(lambda: _value(whole, 'heat{room="loft"}') == "95.5")

    asked = run(
        *("rules", "backtest", "rules.yml", "--since", "1h", "--json"),
        *("--config", "tocsin.yaml"),
        cwd=whole.home,
    )
    assert asked.returncode == 0, asked.stderr
    [life] = [a for a in json.loads(asked.stdout)["alerts"] if a["labels"].get("room") == "loft"]
    assert life["pending_at"] == when(live["active_at"] / 1000)
    assert life["fired_at"] == when(live["starts_at"] / 1000)
    assert life["ended_at"] is None
    assert life["annotations"] == live["annotations"]


def test_this_host_is_measured_and_the_figures_can_be_asked(whole: Tocsin) -> None:
    eventually(lambda: _value(whole, 'min(up{instance="here"})') == "1")
    eventually(lambda: _value(whole, 'node_load1{instance="here"}'))
    eventually(lambda: _value(whole, 'count(node_cpu_seconds_total{mode="idle"}) > 0'))
    memory = _value(whole, "node_memory_MemTotal_bytes")
    assert float(memory) > 1e8


def test_a_site_that_is_down_is_an_alert_and_a_check_in_history(
    whole: Tocsin, phone: Webhook
) -> None:
    eventually(lambda: "shop" in phone.told("check", "firing"))
    with Rows(whole.data) as rows:
        shop = "check = 'shop' AND status = 'unhealthy'"
        eventually(lambda: rows.number(f"SELECT count() FROM check_history WHERE {shop}") > 1)
    assert _value(whole, 'probe_success{check="shop"}') == "0"


def test_health_is_whole_and_every_worker_counts(whole: Tocsin) -> None:
    eventually(lambda: whole.health()["status"] == "healthy", what=whole.health)
    assert {"log", "detector", "router", "courier", "historian"} <= whole.health().keys()
    assert whole.get("/readiness").status_code == 200
    assert whole.figure("tocsin_stage_healthy") >= 4
    eventually(lambda: whole.figure("tocsin_history_rows_total", table="samples") > 0)


def test_a_second_process_on_the_directory_is_refused_and_the_first_goes_on(
    whole: Tocsin,
) -> None:
    second = run("up", "--data", str(whole.data), "--listen", "127.0.0.1:0", cwd=whole.home)
    assert second.returncode == 2
    assert f"in use by process {whole.pid}" in second.stderr
    assert whole.health()["status"] == "healthy"


def test_a_broken_rule_file_leaves_the_running_plan_and_health_says_so(
    whole: Tocsin, phone: Webhook, sender: Sender
) -> None:
    good = whole.rules.read_text()
    plans = whole.figure("tocsin_plan_number", stage="detector")
    whole.rules.write_text(good + "      - {alert: Bad, expr: 'sum(((', for: soon}\n")
    whole.signal(signal.SIGHUP)
    try:
        eventually(lambda: "configuration" in whole.health(), what=whole.health)
        told = whole.health()
        assert told["status"] == "degraded"
        assert "rules.yml" in told["configuration"]["message"]
        sender.send("heat", 99, room="cellar")
        eventually(lambda: "cellar" in phone.told("room", "firing"))
        assert whole.figure("tocsin_plan_number", stage="detector") == plans
    finally:
        whole.rules.write_text(good)
    whole.signal(signal.SIGHUP)
    eventually(lambda: "configuration" not in whole.health(), what=whole.health)
    sender.send("heat", 1, room="cellar")
    eventually(lambda: "cellar" in phone.told("room", "resolved"))


def test_a_rule_that_is_added_while_it_runs_is_in_force_without_a_restart(
    whole: Tocsin, phone: Webhook, sender: Sender
) -> None:
    good = whole.rules.read_text()
    sender.send("cold", 1, room="attic")
    whole.rules.write_text(good + "      - {alert: Cold, expr: cold == 1}\n")
    try:  # no signal: the file is watched
        eventually(lambda: "attic" in phone.told("room", "firing"))
    finally:
        whole.rules.write_text(good)
    eventually(lambda: "attic" in phone.told("room", "resolved"))


def test_paging_goes_on_while_the_killed_history_child_comes_back(
    whole: Tocsin, phone: Webhook, sender: Sender
) -> None:
    [child] = whole.children()
    before = whole.figure("tocsin_history_restarts_total")
    child.kill()
    sender.send("heat", 97, room="hall")
    eventually(lambda: "hall" in phone.told("room", "firing"))
    eventually(lambda: whole.figure("tocsin_history_restarts_total") > before)
    eventually(lambda: whole.health()["status"] == "healthy", what=whole.health)
    sender.send("heat", 7, room="hall")
    eventually(lambda: "hall" in phone.told("room", "resolved"))
    with Rows(whole.data) as rows:
        rows.caught_up()
        rows.check_records()
        heat = "name = 'heat' AND labels['room'] = 'hall'"
        values = rows.ask(f"SELECT value FROM metrics WHERE {heat} ORDER BY time")
        assert values == [(97.0,), (7.0,)]


def test_the_history_child_does_not_outlive_a_process_that_is_killed(whole: Tocsin) -> None:
    children = whole.children()
    assert children
    whole.kill()
    eventually(lambda: all(map(gone, children)), 30)
    whole.start().ready()
    decisions = LogFile(whole.data).events(HISTORY, Decision)
    assert len({decision.id for decision in decisions}) == len(decisions)


def test_sigterm_ends_everything_in_order_and_within_ten_seconds(whole: Tocsin) -> None:
    children = whole.children()
    whole.signal(signal.SIGTERM)
    assert whole.ended(within=10) == 0, whole.tail()
    assert all(map(gone, children))
    assert not (whole.data / "endpoint.json").exists()
    away = run("alerts", "list", "--data", str(whole.data), cwd=whole.home)
    assert away.returncode == 3


def test_sigterm_is_in_time_though_a_receiver_does_not_answer(tmp_path: Path) -> None:
    config = {"evaluation_interval": "200ms"}
    only = ["detector", "router", "courier", "console"]
    with Webhook() as phone:
        patient = "send_resolved: true, timeout: 25s"
        routes = ROUTES.format(url=phone.url).replace("send_resolved: true", patient)
        rules = RULES.replace("for: 1s", "for: 0s")
        with Tocsin(tmp_path, rules=rules, routes=routes, config=config, only=only) as tocsin:
            tocsin.start().ready()
            phone.hang()
            with Sender(tocsin.url, tocsin.token_file) as sender:
                sender.send("heat", 99, room="cellar")
            eventually(lambda: phone.pages)
            tocsin.signal(signal.SIGTERM)
            assert tocsin.ended(within=10) == 0, tocsin.tail()
            phone.hang(False)
            tocsin.start()
            eventually(lambda: len(phone.pages) > 1)
            assert len({page.key for page in phone.pages}) == 1, "again, under the same id"


def test_files_that_are_wrong_at_the_first_start_are_all_told_and_nothing_starts(
    tmp_path: Path,
) -> None:
    rules = "groups: [{name: g, rules: [{alert: A, expr: 'sum((('}, {alert: B, expr: up, for: x}]}]"
    with Tocsin(tmp_path, rules=rules, routes="route: {receiver: nobody}\n") as tocsin:
        tocsin.begin()
        assert tocsin.ended(within=60) == 2
        told = tocsin.said
    assert "rules.yml" in told
    assert "routes.yml" in told
    assert "Listening" not in told
    assert "Traceback" not in told
    assert told.count("rules.yml:") >= 2, told


def test_a_directory_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "VERSION").write_text("99\n")
    refused = run("up", "--data", str(data), "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert refused.returncode == 2
    assert "newer Tocsin" in refused.stderr
    assert (data / "VERSION").read_text() == "99\n"
    assert not (data / "log.sqlite").exists()


def test_a_directory_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("\\begin{document}")
    refused = run("up", "--data", str(tmp_path), "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert refused.returncode == 2
    assert "not a Tocsin data directory" in refused.stderr.replace("\n", " ")
    assert sorted(os.listdir(tmp_path)) in (["thesis.tex"], ["lock", "thesis.tex"])

"""`tocsin routes diff`."""

import json
from pathlib import Path

import pytest

from notifiers.config import read
from notifiers.route_changes import representatives
from ops.cli.command_line import main

OLD = """
route:
  receiver: a
  routes:
  - {matchers: ['team="x"'], receiver: b, group_wait: 10s}
  - {matchers: ['sev=~"crit|page"', 'env!="test"'], receiver: c}
  - {matchers: ['host=~"db-[0-9]+"'], receiver: d}
receivers:
- {name: a}
- {name: b, webhook_configs: [{url: 'http://old.example/geheim'}]}
- {name: c}
- {name: d}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.yml").write_text(OLD)
    return tmp_path


def compared(
    folder: Path, capsys: pytest.CaptureFixture[str], was: str, is_: str, *words: str
) -> tuple[int, dict[str, list[dict[str, object]]]]:
    assert was in OLD
    (folder / "new.yml").write_text(OLD.replace(was, is_))
    code = main(["routes", "diff", "old.yml", "new.yml", "--json", *words])
    out = capsys.readouterr().out
    assert "geheim" not in out
    return code, json.loads(out)


def test_the_same_file_has_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", "diff", "old.yml", "old.yml"]) == 0
    assert capsys.readouterr().out == "no difference\n"


def test_a_timer_is_a_difference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = compared(folder, capsys, "10s", "20s")
    assert code == 1
    (change,) = found["changes"]
    assert (change["key"], change["before"], change["after"]) == ("group_wait", "10s", "20s")
    assert found["affected"] == []


def test_who_gets_other_receivers_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = compared(folder, capsys, "crit|page", "crit")
    assert code == 1
    assert found["affected"] == [{"labels": {"sev": "page"}, "before": ["c"], "after": ["a"]}]
    (folder / "alerts.jsonl").write_text('{"at": 1, "labels": {"sev": "crit"}}\n')
    _, found = compared(folder, capsys, "crit|page", "crit", "--alerts", "alerts.jsonl")
    assert found["affected"] == []


def test_a_secret_is_not_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = compared(folder, capsys, "old.example/geheim", "new.example/geheim")
    assert code == 1
    (change,) = found["changes"]
    assert (change["kind"], change["name"], change["after"]) == ("receiver", "b", "changed")


@pytest.mark.parametrize(
    ("was", "is_", "kind"),
    [
        ("- {name: d}\n", "- {name: d}\n- {name: e}\n", "receiver"),
        ("route:\n", "global: {resolve_timeout: 1m}\nroute:\n", "global"),
        ("route:\n", "inhibit_rules: [{source_matchers: [a=b]}]\nroute:\n", "file"),
        ("route:\n", "time_intervals: [{name: n}]\nroute:\n", "time interval"),
        ("route:\n", "dead_mans_switch: {receiver: a}\nroute:\n", "dead man's switch"),
        ("route:\n", "acknowledge_timeout: 2h\nroute:\n", "file"),
        ("- {name: d}\n", "- {name: d, rate_limit: {messages: 3, per: 1m}}\n", "receiver"),
        ("- {name: d}\n", "- {name: d, fallback: a}\n", "receiver"),
        ("group_wait: 10s}", "group_wait: 10s, flap_detection: {changes: 4}}", "route"),
        (
            "route:\n",
            "dependencies: [{parent: [a=b], child: [a=c]}]\nsuppression: tocsin\nroute:\n",
            "file",
        ),
    ],
)
def test_everything_that_decides_is_compared(
    folder: Path, capsys: pytest.CaptureFixture[str], was: str, is_: str, kind: str
) -> None:
    code, found = compared(folder, capsys, was, is_)
    assert code == 1
    assert {change["kind"] for change in found["changes"]} == {kind}


def test_the_difference_is_a_table_for_people(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "new.yml").write_text(OLD.replace("receiver: c", "receiver: d"))
    assert main(["routes", "diff", "old.yml", "new.yml"]) == 1
    out = capsys.readouterr().out
    assert "receiver  c       d" in out
    assert '{sev="page"}  c       d' in out


def test_each_route_has_a_label_set_that_reaches_it() -> None:
    config, _ = read(OLD, "old.yml")
    assert config is not None
    found, missed = representatives(config.route)
    assert missed == []
    assert found == [
        {},
        {"team": "x"},
        {"sev": "crit"},
        {"sev": "page"},
        {"host": "db-1"},
    ]


def test_a_route_without_an_example_is_named() -> None:
    config, _ = read(OLD.replace("db-[0-9]+", "[a-z]{3}-[0-9a-f]{8}"), "old.yml")
    assert config is not None
    _, missed = representatives(config.route)
    assert missed == ['{}/{host=~"[a-z]{3}-[0-9a-f]{8}"}']


BEATS = """
dead_mans_switch: {receiver: a, interval: 1m}
heartbeats:
- {name: backup, id: geheim-geheim-geheim-1, period: 24h, grace: 1h}
- {name: report, id: geheim-geheim-geheim-2, cron: 0 2 * * *, timezone: Europe/Berlin}
"""


@pytest.mark.parametrize(
    ("was", "is_", "want"),
    [
        ("", "", []),
        (
            "period: 24h",
            "period: 12h",
            ["heartbeat", "backup", "schedule", "every 24h", "every 12h"],
        ),
        ("grace: 1h", "grace: 90m", ["heartbeat", "backup", "grace", "1h", "1h30m"]),
        (
            "Europe/Berlin",
            "UTC",
            [
                *("heartbeat", "report", "schedule"),
                *('by cron "0 2 * * *" (Europe/Berlin)', 'by cron "0 2 * * *" (UTC)'),
            ],
        ),
        ("geheim-2", "geheim-3", ["heartbeat", "report", "ping address", "changed", "changed"]),
        ("interval: 1m", "interval: 5m", ["dead man's switch", "", "interval", "1m", "5m"]),
        (
            "{receiver: a, interval",
            "{receiver: b, interval",
            ["dead man's switch", "", "receiver", "a", "b"],
        ),
        (
            "interval: 1m",
            "interval: 1m, require: detector",
            ["dead man's switch", "", "within", "none", "3m"],
        ),
        ("name: backup", "name: bakcup", ["heartbeat", "backup", "", "every 24h", ""]),
    ],
)
def test_heartbeats_both_ways_are_compared_and_their_addresses_are_not_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], was: str, is_: str, want: list[str]
) -> None:
    (folder / "old.yml").write_text(OLD + BEATS)
    (folder / "new.yml").write_text(OLD + BEATS.replace(was, is_))
    code = main(["routes", "diff", "old.yml", "new.yml", "--json"])
    out = capsys.readouterr().out
    assert "geheim" not in out
    found = [[*change.values()] for change in json.loads(out)["changes"]]
    assert code == int(bool(want))
    assert found[:1] == ([want] if want else [])

"""`tocsin routes simulate`."""

import json
from pathlib import Path

import pytest

from ops.cli.command_line import main

ROUTES = """route: {receiver: ops, group_by: [alertname], group_wait: 30s, group_interval: 5m}
receivers: [{name: ops, webhook_configs: [{url: 'http://secret.example/'}]}]
"""
ALERTS = """{"at": "2026-01-31T12:00:00Z", "labels": {"alertname": "A", "host": "é"}}
{"at": "2026-01-31T12:01:00Z", "labels": {"alertname": "A", "host": "é"}, "status": "resolved"}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes.yml").write_text(ROUTES)
    (tmp_path / "alerts.jsonl").write_text(ALERTS, "utf-8")
    return tmp_path


def test_each_decision_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", "simulate", "alerts.jsonl", "--routes", "routes.yml"]) == 0
    out, err = capsys.readouterr()
    first, last = map(json.loads, out.splitlines())
    assert err == ""
    assert first == {
        "time": "2026-01-31T12:00:30.000Z",
        "group": '{}:{alertname="A"}',
        "receiver": "ops",
        "integration": 0,
        "decision": "send",
        "reason": "first notification",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "A", "host": "é"},
                "startsAt": "2026-01-31T12:00:00.000Z",
            }
        ],
    }
    assert (last["time"], last["reason"]) == ("2026-01-31T12:05:30.000Z", "all alerts resolved")
    assert last["alerts"][0]["endsAt"] == "2026-01-31T12:01:00.000Z"


@pytest.mark.parametrize("until", ["2026-01-31T12:01:00Z", "1769860860000"])
def test_it_ends_when_told(until: str, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["routes", "simulate", "alerts.jsonl", "--routes", "routes.yml", "--until", until]
    assert main(call) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_every_wrong_line_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "alerts.jsonl").write_text("{\n{}\n" + ALERTS, "utf-8")
    assert main(["routes", "simulate", "alerts.jsonl", "--routes", "routes.yml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "alerts.jsonl:1: not JSON" in err
    assert "alerts.jsonl:2: at: missing" in err


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["gone.jsonl", "--routes", "routes.yml"], "gone.jsonl: cannot be read"),
        (["alerts.jsonl", "--routes", "alerts.jsonl"], "alerts.jsonl:"),
        (["alerts.jsonl", "--routes", "routes.yml", "--until", "noon"], "--until: not a time"),
    ],
)
def test_a_wrong_call_is_refused(
    call: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["routes", "simulate", *call]) == 2
    assert said in capsys.readouterr().err


def test_what_is_held_is_told_with_its_causes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = "receivers: [{name: ops}]"
    (folder / "routes.yml").write_text(ROUTES.splitlines()[0] + "\n" + quiet + "\n")
    assert main(["routes", "simulate", "alerts.jsonl", "--routes", "routes.yml"]) == 0
    first, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["decision"], first["reason"]) == ("skip", "nothing to say")
    assert first["held"] == [
        {"causes": ["receiver/ops"], "alerts": [{"alertname": "A", "host": "é"}]}
    ]

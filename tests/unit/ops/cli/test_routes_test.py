"""`tocsin routes test`."""

import json
from pathlib import Path

import pytest

from ops.cli.command_line import main

ROUTES = """
route:
  receiver: a
  routes:
  - matchers: [team="x"]
    receiver: b
    continue: true
    mute_time_intervals: [night]
    routes:
    - {matchers: ['sev=~"crit|page"'], receiver: c}
  - {matchers: ['team=~"x|y"'], receiver: d, active_time_intervals: [night]}
receivers: [{name: a}, {name: b}, {name: c}, {name: d}]
time_intervals:
- {name: night, time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]}
"""
DRAWN = """Matching routes:
.
└── default-route
    ├── {team="x"}
    │   └── {sev=~"crit|page"}  receiver: c
    └── {team=~"x|y"}  receiver: d


c,d
"""
DEEP_IN_THE_NIGHT, AT_NOON = "2026-01-31T03:00:00Z", "2026-01-31T12:00:00Z"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes.yml").write_text(ROUTES)
    return tmp_path


def call(*words: str) -> int:
    return main(["routes", "test", "--routes", "routes.yml", *words])


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [([], "a"), (["team=x"], "b,d"), (["team=x", 'sev="page"'], "c,d"), (["team=y"], "d")],
)
def test_receivers_are_told_in_order(
    labels: list[str], receivers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*labels) == 0
    assert capsys.readouterr().out == f"{receivers}\n"


def test_the_tree_is_drawn_as_amtool_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--tree", "team=x", "sev=crit") == 0
    assert capsys.readouterr().out == DRAWN


def test_expected_receivers_are_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--verify-receivers", "b,d", "team=x") == 0
    assert call("--verify-receivers", "d,b", "team=x") == 1
    warning = "WARNING: Expected receivers did not match resolved receivers.\n"
    assert capsys.readouterr().out == f"b,d\nb,d\n{warning}"


def test_muted_routes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--at", DEEP_IN_THE_NIGHT, "team=x") == 0
    assert capsys.readouterr().out == (
        "b,d\n"
        "b at 2026-01-31T03:00:00.000Z: muted, inside of mute_time_intervals: night\n"
        "d at 2026-01-31T03:00:00.000Z: told\n"
    )
    assert call("--at", AT_NOON, "--json", "team=x") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["muted"] for one in found["routes"]] == [
        "",
        "outside of active_time_intervals: night",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["team=~x"], "Labels must be specified as key=value pairs"),
        (["="], "Failed to parse labels"),
        (["a=b", "--at", "noon"], "--at: not a time"),
    ],
)
def test_a_wrong_call_is_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words) == 2
    assert said in capsys.readouterr().err


def test_the_escalation_policy_and_whom_it_calls_first_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "routes.yml").write_text(
        """
route: {receiver: a, escalation_policy: {critical: emergency, default: none}}
receivers: [{name: a}]
on_call: primary
users: [{name: ada, contacts: [a]}]
schedules:
  - name: primary
    layers: [{users: [ada], rotation: daily, start: 2026-01-05T09:00}]
"""
    )
    file = ("--routes", str(tmp_path / "routes.yml"))
    at = "2026-02-01T00:00:00Z"
    assert main(["routes", "test", *file, "severity=critical", "--at", at]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "a",
        "escalated by emergency, which calls first at 2026-02-01T00:00:00.000Z: "
        "ada (schedule primary)",
    ]
    assert main(["routes", "test", *file, "severity=info"]) == 0
    assert capsys.readouterr().out == "a\n"
    assert main(["routes", "test", *file, "severity=critical", "--json"]) == 0
    assert '"escalation_policy": "emergency"' in capsys.readouterr().out

"""`heartbeats:`, `ping_key:` and `dead_mans_switch:` of a routing file, and what is wrong there."""

from dataclasses import replace

import pytest

from notifiers.config import read
from notifiers.heartbeats.definition import Definition
from notifiers.heartbeats.sealed import sealed
from notifiers.heartbeats.switch_config import SwitchConfig
from notifiers.redact import without_secrets

BASE = "route: {receiver: r}\nreceivers: [{name: r}]\n"
ID = "3f2b6a0e-8a53-4c53-9a39-1d3c7f3d7c11"
FINE = f"id: {ID}, period: 1h"


def problems(text: str) -> list[str]:
    config, found = read(BASE + text, "routes.yml")
    assert config is None
    return [str(one) for one in found]


def heartbeats(text: str) -> dict[str, Definition]:
    config, found = read(BASE + text, "routes.yml")
    assert config is not None, found
    return config.heartbeats


def test_a_heartbeat_whole() -> None:
    text = f"""
ping_key: abcdefghijklmnopqrstuv
heartbeats:
- name: backup
  id: {ID}
  cron: 0 2 * * *
  timezone: Europe/Berlin
  grace: 30m
  max_runtime: 2h
  labels: {{severity: critical}}
  annotations: {{runbook_url: 'https://x/'}}
- {{name: short, period: 5m}}
"""
    found = heartbeats(text)
    assert found["backup"] == Definition(
        *("backup", (ID, "abcdefghijklmnopqrstuv/backup"), 1_000, "0 2 * * *", "Europe/Berlin"),
        *(1_800_000, 7_200_000, (("severity", "critical"),), (("runbook_url", "https://x/"),)),
    )
    short = found["short"]
    assert (short.paths, short.period) == (("abcdefghijklmnopqrstuv/short",), 300_000)
    assert (short.grace, short.max_runtime) == (3_600_000, 3_600_000)
    config, _ = read(without_secrets(BASE + text), "plan", bare=True)
    assert config is not None
    travelled = config.heartbeats
    assert {name: replace(one, paths=()) for name, one in travelled.items()} == {
        name: replace(one, paths=()) for name, one in found.items()
    }
    assert travelled["short"].paths == (f"{sealed('abcdefghijklmnopqrstuv')}/short",)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("id: abc, period: 1h, name: a", "20 to 100 letters"),
        ("period: 1h, name: a", "missing id, and there is no ping_key"),
        (f"{FINE}", "missing name"),
        (f"{FINE}, name: a b", 'not "a b"'),
        (f"{FINE}, name: start", "a meaning of its own in a ping URL"),
        (f"{FINE}, name: '12'", "a meaning of its own in a ping URL"),
        (f"id: {ID}, name: a", "missing period or cron"),
        (f"{FINE}, name: a, cron: 0 2 * * *", "not both"),
        (f"{FINE}, name: a, timezone: UTC", "only with cron"),
        (f"id: {ID}, name: a, cron: '61 * * * *'", "Bad minute"),
        (f"id: {ID}, name: a, cron: 0 2 * * *, timezone: Moon", "unknown time zone"),
        (f"id: {ID}, name: a, period: 100ms", "a second at least"),
        (f"{FINE}, name: a, grace: 2y", "a year at most"),
        (f"{FINE}, name: a, labels: {{heartbeat: x}}", "the label heartbeat is"),
        (f"{FINE}, name: a, perod: 2h", "did you mean"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(entry: str, words: str) -> None:
    found = problems(f"heartbeats:\n- {{{entry}}}\n")
    assert any(words in one and "routes.yml:4" in one for one in found), found


def test_names_and_ids_are_unique() -> None:
    found = problems(f"heartbeats: [{{name: a, {FINE}}}, {{name: a, {FINE}}}]\n")
    assert any('heartbeat "a" is not unique' in one for one in found)
    assert any("has this id already" in one for one in found)


def test_the_switch_whole_and_by_default() -> None:
    def switch(text: str) -> SwitchConfig | None:
        config, found = read(f"{BASE}{text}", "routes.yml")
        assert config is not None, found
        return config.dead_mans_switch

    assert switch("") is None
    assert switch("dead_mans_switch: {receiver: r}\n") == SwitchConfig("r", 60_000, None)
    given = "{receiver: r, interval: 5m, require: detector, within: 10m}"
    assert switch(f"dead_mans_switch: {given}\n") == SwitchConfig("r", 300_000, 600_000)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{}", "missing receiver"),
        ("{receiver: x}", 'undefined receiver "x"'),
        ("{receiver: r, interval: 2d}", "a day at most"),
        ("{receiver: r, interval: 10ms}", "a second at least"),
        ("{receiver: r, require: agents}", "detector is wanted"),
        ("{receiver: r, within: 1m}", "only with require"),
        ("{receiver: r, require: detector, within: 0s}", "a second at least"),
        ("{receiver: r, every: 1m}", "unknown key"),
    ],
)
def test_what_is_wrong_with_the_switch_is_said(entry: str, words: str) -> None:
    assert any(words in one for one in problems(f"dead_mans_switch: {entry}\n"))

"""When `tocsin up` reads its files again, and when it ends by itself."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifiers.router import Router
from ops import up
from ops.cli.check import file_problems
from ops.file_changes import Changes
from ops.settings import load

RULES = "groups: [{name: g, rules: [{alert: Hot, expr: heat > 90}]}]\n"
ROUTES = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture
def _signals() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_changed_files_are_read_once_they_hold_still_over_two_looks() -> None:
    changes = Changes({"a": (1, 1)})
    looks = [{"a": (1, 1)}, {}, {"a": (2, 0)}, {"a": (2, 9)}, {"a": (2, 9)}]
    assert [changes.settled(look) for look in looks] == [False, False, False, False, True]
    changes.read({"a": (2, 9)})
    assert not changes.settled({"a": (2, 9)})


def test_files_that_were_away_for_one_look_are_no_change() -> None:
    changes = Changes({"a": (1, 1)})
    assert not any(changes.settled(look) for look in ({}, {"a": (1, 1)}, {"a": (1, 1)}))


def test_a_pattern_that_matches_nothing_any_more_and_a_missing_routing_file_are_problems(
    tmp_path: Path,
) -> None:
    rules, routes, config = (tmp_path / name for name in ("r.yml", "routes.yml", "tocsin.yaml"))
    config.write_text("rules: ['*r.yml']\nroutes: routes.yml\n")
    rules.write_text(RULES)
    routes.write_text(ROUTES)
    loaded = load(config, {}, {})
    assert file_problems(loaded) == []
    rules.unlink()
    routes.unlink()
    first, second = file_problems(loaded)
    assert first.startswith(f"{config}:1: rules[0]: ")
    assert first.endswith("matches no file: check the path")
    assert second == f"{config}:2: routes: {routes} is no file: check the path"


@pytest.mark.usefixtures("_signals")
def test_a_stage_that_is_broken_ends_the_process_with_3_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def step(*_: object) -> None:
        raise RuntimeError("no idea")

    monkeypatch.setattr(Router, "step", step)
    monkeypatch.setattr("ops.runtime.driver.FAILURES_IN_A_ROW", 0)
    monkeypatch.setattr(up, "LOOK_EVERY", 0.02)
    settings = load(None, {"data": str(tmp_path / "data")}, {}).settings
    assert up.run(settings, frozenset({"router"})) == 3
    assert "tocsin: router stopped: 1 failures in a row" in capfd.readouterr().err

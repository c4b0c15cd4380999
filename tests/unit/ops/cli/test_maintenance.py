import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ops import endpoint
from ops.api.app import build
from ops.api.serve import Server, bind
from ops.cli import main
from ops.services import Access
from tests.support.routed_services import RoutedServices

TOKEN = "0123456789abcdef"
Said = Callable[..., Any]


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RoutedServices]:
    """A server over a real router, found by its note in the data directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "ada")
    services = RoutedServices()
    services.day.fires(0, "a", "b", service="shop")
    server = Server(build(services, Access(TOKEN, guarded=True)), bind("127.0.0.1", 0))
    server.start()
    data = tmp_path / "tocsin-data"
    data.mkdir()
    token_file = data / "agent.token"
    token_file.write_text(TOKEN)
    endpoint.write(data, endpoint.Endpoint(server.address, str(token_file), 1))
    yield services
    server.stop()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command that is fine with --json, and give what it said."""

    def run(*call: str, code: int = 0) -> Any:
        assert main([*call, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def test_a_silence_is_added_listed_and_expired(services: RoutedServices, said: Said) -> None:
    made = said("silences", "add", "a", "service=~sh.*", "--for", "2h", "--comment", "disks")
    (found,) = said("silences", "list")["silences"]
    assert (found["id"], found["owner"], found["comment"]) == (made["id"], "ada", "disks")
    assert found["matchers"] == [['alertname="a"', 'service=~"sh.*"']]
    services.day.until(60)
    assert [one.why for one in services.told()] == ["first notification"]
    said("silences", "expire", made["id"])
    assert said("silences", "list") == {"silences": []}
    assert said("silences", "list", "--all")["silences"][0]["state"] == "expired"


def test_for_people(services: RoutedServices, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["silences", "list"]) == 0
    assert main(["windows", "list"]) == 0
    assert capsys.readouterr().out == "no silences\nno maintenance windows\n"
    every = ["--every", "tuesday 02:00 for 2h in Europe/Berlin"]
    assert main(["windows", "add", "service=shop", *every, "--comment", "x\x1b[31m"]) == 0
    assert "Tue 2023-11-21 02:00:00 CET" in capsys.readouterr().out
    assert main(["windows", "list"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["ID", "KIND", "STATE"]
    assert 'recurring  pending  service="shop"' in row
    assert "x\\x1b[31m" in row
    assert main(["silences", "add", "a", "--for", "1h"]) == 0
    assert main(["silences", "list"]) == 0
    assert 'active  alertname="a"' in capsys.readouterr().out


def test_the_preview_makes_nothing(
    services: RoutedServices, said: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said("windows", "add", "a", "--for", "1h", "--preview")
    assert (found["known"], found["hidden"]) == (2, 1)
    assert main(["silences", "add", "a", "--for", "1h", "--preview"]) == 0
    assert capsys.readouterr().out.startswith("hides 1 of the 2 alerts that are on now\nSTATE")
    assert main(["windows", "add", "alertname=~.+", "--for", "1h", "--preview"]) == 1
    assert "refused without --force" in capsys.readouterr().out
    assert said("windows", "list") == {"windows": []}


def test_what_hides_too_much_wants_force(
    services: RoutedServices, said: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    for what in ("silences", "windows"):
        assert main([what, "add", "alertname=~.+", "--for", "1h"]) == 2
        assert "match every alert" in capsys.readouterr().err
        assert said(what, "add", "alertname=~.+", "--for", "1h", "--force")["id"]


def test_a_deploys_window_is_started_finished_and_ended(
    services: RoutedServices, said: Said
) -> None:
    made = said("windows", "add", "--service", "shop", "--timeout", "30m", "--author", "ci")
    assert (made["kind"], made["state"], made["owner"]) == ("deploy", "pending", "ci")
    assert said("windows", "start", made["id"], "--timeout", "5m")["state"] == "active"
    assert said("windows", "finish", made["id"])["state"] == "pending"
    assert said("windows", "end", made["id"])["windows"][0]["state"] == "expired"
    assert said("windows", "list") == {"windows": []}
    assert said("windows", "list", "--all")["windows"]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (["silences", "add", "a"], "nothing says when"),
        (["silences", "add", "--for", "1h"], "at least one matcher"),
        (["silences", "expire", "nope"], "there is no silence"),
        (["windows", "add", "a", "--every", "soon"], "is not understood"),
        (["windows", "end", "nope"], "there is no window"),
        (["windows", "start", "nope"], "there is no window"),
    ],
)
def test_what_is_wrong_is_2(
    services: RoutedServices, call: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(call) == 2
    assert why in capsys.readouterr().err


def test_what_says_no_end_is_told_what_can_be_typed(
    services: RoutedServices, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["silences", "add", "a"]) == 2
    said = capsys.readouterr().err
    assert "--for D or --until T" in said
    assert "--every" not in said
    assert main(["windows", "add", "a", "--preview"]) == 2
    assert "--every WHEN, or for deploys --timeout D" in capsys.readouterr().err


def test_a_repetition_that_is_not_understood_is_the_one_fault(
    services: RoutedServices, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["windows", "add", "a", "--every", "tuesday 25:00"]) == 2
    said = capsys.readouterr().err
    assert "is not understood" in said
    assert "nothing says" not in said


def test_what_ended_can_still_be_a_false_positive(services: RoutedServices, said: Said) -> None:
    services.day.until(60)
    (one,) = said("incidents", "list", code=1)["incidents"]
    said("alerts", "resolve", one["id"], "--note", "gone")
    told = said("alerts", "resolve", one["id"], "--false-positive", "--note", "a test")
    assert told["false_positive"]
    assert [line["what"] for line in told["timeline"]][-2:] == ["resolved", "false positive"]
    assert told["timeline"][-1]["detail"] == "a test"

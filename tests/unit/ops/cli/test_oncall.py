import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifiers.oncall.book import MadeOverride
from notifiers.oncall.schedule import DAY, HOUR, Override
from ops import endpoint
from ops.api.app import build
from ops.api.serve import Server, bind
from ops.cli import main
from ops.services import Access, Routing
from tests.support.fake_services import NOW, FakeServices

FILE = """
route: {receiver: a}
receivers: [{name: a}]
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers: [{name: weekly, users: [ada, bob], rotation: weekly, start: 2026-01-05T09:00}]
"""


@pytest.fixture
def routes(tmp_path: Path) -> str:
    (tmp_path / "routes.yml").write_text(FILE)
    return str(tmp_path / "routes.yml")


def test_shifts_are_shown_in_the_schedules_own_time(
    routes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["oncall", "show", "--routes", routes, "--at", "2026-01-11T23:00:00Z"])
    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "primary (Europe/Berlin)",
        "FROM                      TO                        WHO  LAYER",
        "Mon 2026-01-12 00:00 CET  Mon 2026-01-12 09:00 CET  ada  weekly",
        "Mon 2026-01-12 09:00 CET  Mon 2026-01-19 00:00 CET  bob  weekly",
    ]


def test_a_gap_at_that_time_is_a_no(routes: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["oncall", "show", "primary", "--routes", routes, "--json", "--days", "1"]
    assert main([*command, "--at", "2026-01-05T07:59:00Z"]) == 1
    [first, second] = json.loads(capsys.readouterr().out)["primary"]
    assert (first["user"], second["user"]) == (None, "ada")
    assert first["end"] == second["start"] == 1_767_600_000_000


@pytest.mark.parametrize(
    ("options", "want"),
    [
        (["nobody"], 'has no schedule "nobody"; it has primary'),
        (["--at", "tomorrow"], "--at: not RFC 3339"),
        (["--at", "2026-01-05T09:00"], "the time zone is missing"),
        (["--at", "9999-12-31T23:59:59Z"], "--at: a time from 1970 to 9000 is wanted"),
        (["--at", "0001-01-01T00:00:00+14:00"], "--at: a time from 1970 to 9000 is wanted"),
        (["--days", "0"], "--days: 1 to 366 are wanted"),
    ],
)
def test_a_wrong_call_says_what_to_write(
    routes: str, options: list[str], want: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["oncall", "show", *options, "--routes", routes]) == 2
    assert want in capsys.readouterr().err


def test_gaps_alone_are_shown_and_are_a_no(routes: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["oncall", "show", "--gaps", "--routes", routes, "--days", "7"]
    assert main([*command, "--at", "2026-01-05T07:00:00Z"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "SCHEDULE  NOBODY FROM               TO",
        "primary   Mon 2026-01-05 08:00 CET  Mon 2026-01-05 09:00 CET",
    ]
    assert main([*command, "--at", "2026-01-05T08:00:00Z"]) == 0
    assert capsys.readouterr().out == "no gaps\n"


def test_check_warns_of_a_gap_in_the_days_to_come_and_finds_no_fault_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "routes.yml").write_text(FILE.replace("2026-01-05T09:00", "2999-01-05T09:00"))
    (tmp_path / "tocsin.yaml").write_text(f"routes: {tmp_path / 'routes.yml'}\n")
    assert main(["check", "--config", str(tmp_path / "tocsin.yaml")]) == 0
    assert "warning: " in (said := capsys.readouterr().err)
    assert 'schedule "primary": nobody is on call from' in said
    main(["check", "--json", "--config", str(tmp_path / "tocsin.yaml")])
    assert len(json.loads(capsys.readouterr().out)["warnings"]) == 1


def test_an_exported_schedule_can_be_a_layer_of_another(
    routes: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    span = ["--from", "2026-01-05T08:00:00Z", "--to", "2026-02-02T08:00:00Z"]
    assert main(["oncall", "export", "primary", "--routes", routes, *span]) == 0
    calendar = capsysbinary.readouterr().out
    assert calendar.startswith(b"BEGIN:VCALENDAR")
    assert calendar.count(b"BEGIN:VEVENT") == 4
    (tmp_path / "rota.ics").write_bytes(calendar)
    rotation = "{name: weekly, users: [ada, bob], rotation: weekly, start: 2026-01-05T09:00}"
    (tmp_path / "imported.yml").write_text(
        FILE.replace(rotation, "{name: weekly, icalendar: rota.ics}")
    )
    shown = []
    for file in ("routes.yml", "imported.yml"):
        command = ["oncall", "show", "--json", "--routes", str(tmp_path / file), "--days", "20"]
        main([*command, "--at", "2026-01-05T08:00:00Z"])
        shown.append(json.loads(capsysbinary.readouterr().out))
    assert shown[0] == shown[1]


def test_an_export_of_no_time_is_refused(routes: str, capsys: pytest.CaptureFixture[str]) -> None:
    span = ["--from", "2026-01-05T08:00:00Z", "--to", "2026-01-05T08:00:00Z"]
    assert main(["oncall", "export", "primary", "--routes", routes, *span]) == 2
    assert "--to must be after --from" in capsys.readouterr().err


MADE = MadeOverride("o1", "primary", Override("kim", NOW - HOUR, NOW + HOUR), "ada", NOW - DAY)
SERVED = FILE.replace("2026-01-05T09:00", "2025-01-06T09:00")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server whose router knows an override, with its note in the data directory."""
    monkeypatch.chdir(tmp_path)
    services = FakeServices(routes=Routing(SERVED), made_overrides=[MADE])
    server = Server(build(services, Access(None)), bind("127.0.0.1", 0))
    server.start()
    (tmp_path / "served.yml").write_text(SERVED)
    (tmp_path / "tocsin.yaml").write_text(f"routes: {tmp_path / 'served.yml'}\n")
    (tmp_path / "tocsin-data").mkdir()
    endpoint.write(tmp_path / "tocsin-data", endpoint.Endpoint(server.address, "", 1))
    yield server
    server.stop()


AT = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW / 1_000))
SHOW = ["oncall", "show", "--json", "--days", "1", "--at", AT]


def test_a_running_server_is_asked_for_it_knows_overrides_made_by_command(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SHOW, "primary"]) == 0
    said = capsys.readouterr()
    assert [one["user"] for one in json.loads(said.out)["primary"]] == ["kim", "ada", "bob"]
    want = f"source: the router behind http://{server.address}, with overrides made by command\n"
    assert said.err == want
    assert main([*SHOW, "nobody"]) == 2
    assert 'in force has no schedule "nobody"; it has primary' in capsys.readouterr().err


def test_the_file_alone_is_read_where_it_is_asked_for_or_nothing_answers(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "served.yml"
    assert main([*SHOW, "--routes", str(file)]) == 0
    said = capsys.readouterr()
    assert [one["user"] for one in json.loads(said.out)["primary"]] == ["ada", "bob"]
    assert said.err == f"source: {file} alone, without overrides made by command\n"
    server.stop()
    assert main(SHOW) == 0
    said = capsys.readouterr()
    assert [one["user"] for one in json.loads(said.out)["primary"]] == ["ada", "bob"]
    assert "does not answer" in said.err
    assert said.err.endswith(f"source: {file} alone, without overrides made by command\n")
    assert main([*SHOW, "--url", f"http://{server.address}"]) == 3
    assert "source" not in capsys.readouterr().err


def test_a_server_and_a_file_at_once_are_refused(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SHOW, "--url", f"http://{server.address}", "--routes", "served.yml"]) == 2
    assert "write one of them" in capsys.readouterr().err


def test_an_export_has_the_overrides_of_the_running_server(
    server: Server, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((NOW + DAY) / 1_000))
    assert main(["oncall", "export", "primary", "--from", AT, "--to", end]) == 0
    said = capsysbinary.readouterr()
    assert [line for line in said.out.splitlines() if line.startswith(b"SUMMARY")] == [
        b"SUMMARY:kim",
        b"SUMMARY:ada",
        b"SUMMARY:bob",
    ]
    assert b"source: the router behind" in said.err

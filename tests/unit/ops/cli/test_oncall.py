import json
from pathlib import Path

import pytest

from ops.cli import main

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

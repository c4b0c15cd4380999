import json
from pathlib import Path

from notifiers.channels.jsonl import JsonLines
from tests.unit.notifiers.deliveries import message


def test_a_torn_line_stays_its_own(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"id": "to')
    JsonLines(path).send(message())
    torn, whole, end = path.read_bytes().split(b"\n")
    assert (torn, end) == (b'{"id": "to', b"")
    assert json.loads(whole)["why"] == "first notification"


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    JsonLines(tmp_path / "out.jsonl").send(message())
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600

import json
from pathlib import Path

import pytest

from notifiers.channels.build import build
from notifiers.channels.channel import DeliveryFailed
from notifiers.channels.jsonl import JsonLines
from notifiers.config import read
from notifiers.templating import Templates
from tests.unit.notifiers.deliveries import message


def test_a_torn_line_stays_its_own(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"id": "to')
    JsonLines(tmp_path, "out.jsonl").send(message())
    torn, whole, end = path.read_bytes().split(b"\n")
    assert (torn, end) == (b'{"id": "to', b"")
    assert json.loads(whole)["why"] == "first notification"


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    JsonLines(tmp_path, "out.jsonl").send(message())
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_routing_files_paths_are_in_the_deliveries_folder(tmp_path: Path) -> None:
    text = "route: {receiver: a}\nreceivers: [{name: a, file_configs: [{path: team/out.jsonl}]}]\n"
    config, _ = read(text, "routes.yml")
    assert config is not None
    channels = build(
        config, data=tmp_path, secrets=tmp_path, allow=(), now=lambda: 0.0, templates=Templates()
    )
    for _ in range(2):
        channels["a", 0].send(message())
    folder = tmp_path / "deliveries"
    assert len((folder / "team" / "out.jsonl").read_text().splitlines()) == 2
    assert folder.stat().st_mode & 0o777 == (folder / "team").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("path", ["link", "folder/out.jsonl"])
def test_symbolic_links_are_not_followed(path: str, tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "link").symlink_to(outside / "out.jsonl")
    (inside / "folder").symlink_to(outside)
    with pytest.raises(DeliveryFailed):
        JsonLines(inside, path).send(message())
    assert list(outside.iterdir()) == []

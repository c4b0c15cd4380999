"""Which receivers the courier has when the routing file is broken."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notifiers.config import read
from ops import accepted_routes
from ops.embedded.process import Process
from ops.settings import Settings
from schemas.envelope import Envelope, Producer
from schemas.stage import Message
from schemas.topics import CODEC, DELIVERIES
from tests.support.waiting import eventually
from tests.unit.notifiers.deliveries import delivery

GOOD = "route: {receiver: ops}\nreceivers: [{name: ops, file_configs: [{path: out.jsonl}]}]\n"
BROKEN = "route: {receiver: ops\n"


@contextmanager
def process(home: Path) -> Iterator[Process]:
    settings = Settings(data=home / "data", routes=home / "routes.yml")

    def check() -> list[str]:
        return [str(one) for one in read((home / "routes.yml").read_text(), "routes.yml")[1]]

    running = Process(settings, frozenset({"router", "courier"}), check)
    try:
        yield running
    finally:
        running.stop()


def deliver(running: Process, name: str) -> None:
    now = running.shared.log.clock()
    event = delivery(id=name, group_key=name, expires_at=now + 60_000)
    wire = CODEC.encode(Envelope(name, Producer("router"), now, event))
    running.shared.log.publish([Message(DELIVERIES, "g", wire)])


def told(home: Path, name: str) -> bool:
    return any(name in file.read_text() for file in (home / "data").rglob("out.jsonl"))


def test_a_start_with_a_broken_file_delivers_as_the_last_accepted_one_says(tmp_path: Path) -> None:
    (tmp_path / "routes.yml").write_text(GOOD)
    with process(tmp_path) as running:
        assert running.reload() == []
    (tmp_path / "routes.yml").write_text(BROKEN)
    with process(tmp_path) as running:
        assert running.reload()
        assert running.planned
        running.start()
        deliver(running, "after the restart")
        eventually(lambda: told(tmp_path, "after the restart"))


def test_a_reload_of_a_broken_file_leaves_the_channels_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "routes.yml").write_text(GOOD)
    with process(tmp_path) as running:
        running.reload()
        running.start()
        (tmp_path / "routes.yml").write_text(BROKEN)
        assert running.reload()
        assert running.courier is not None
        with pytest.raises(ValueError, match="not YAML"):
            running.courier.reload(accepted_routes.Routes(BROKEN, tmp_path / "routes.yml"))
        deliver(running, "after the reload")
        eventually(lambda: told(tmp_path, "after the reload"))


def test_what_is_kept_is_its_owners_alone_and_knows_where_its_secrets_are(tmp_path: Path) -> None:
    file = tmp_path / 'of "two"\nlines' / "routes.yml"
    for text in ("old", GOOD):
        accepted_routes.keep(accepted_routes.Routes(text, file), tmp_path)
    assert (tmp_path / accepted_routes.FILE).stat().st_mode & 0o777 == 0o600
    found = accepted_routes.kept(tmp_path)
    assert found == accepted_routes.Routes(GOOD, file)
    assert found.directory == file.parent
    assert GOOD not in repr(found)


@pytest.mark.parametrize("text", ["", "route: {}\n", "# accepted by Tocsin from 7\n"])
def test_what_cannot_be_read_back_counts_as_nothing(tmp_path: Path, text: str) -> None:
    assert accepted_routes.kept(tmp_path) is None
    (tmp_path / accepted_routes.FILE).write_text(text)
    assert accepted_routes.kept(tmp_path) is None


def test_what_comes_into_force_is_logged_with_its_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tocsin")
    (tmp_path / "routes.yml").write_text(GOOD)
    with process(tmp_path) as running:
        running.reload()
        (tmp_path / "routes.yml").write_text(BROKEN)
        running.reload()
        (tmp_path / "routes.yml").write_text(GOOD.replace("ops", "team"))
        running.reload()
    said = [(r.message, getattr(r, "routes", None)) for r in caplog.records if r.name == "tocsin"]
    assert [number for what, number in said if what == "configuration in force"] == [1, 2]
    assert [what for what, _ in said][1] == "configuration refused"

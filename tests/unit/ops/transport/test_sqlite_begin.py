"""The embedded log for who waits without a thread."""

from pathlib import Path

import pytest

from ops.transport.sqlite_log import SqliteLog
from ops.transport.sqlite_writer import Limits
from schemas.errors import LogAway, TooLarge
from schemas.stage import Message
from schemas.topics import ALERTS, MAX_MESSAGE


def test_what_is_begun_is_durable_once_its_position_is_known(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", lambda: 1)
    begun = log.begin([Message(ALERTS, "k", b"one"), Message(ALERTS, "k", b"two")])
    assert begun is not None
    assert [position.offset for position in begun.result(5)] == [0, 1]
    log.close()
    with pytest.raises(LogAway):
        log.begin([Message(ALERTS, "k", b"late")])
    again = SqliteLog(tmp_path / "log", lambda: 1)
    inbox = again.inbox("g", [ALERTS])
    assert [record.value for record in inbox.poll(0)] == [b"one", b"two"]
    inbox.close()
    again.close()


def test_nothing_is_begun_where_it_would_wait_for_room_or_is_too_large(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", lambda: 1, None, Limits(waiting=0))
    assert log.begin([Message(ALERTS, "k", b"x")]) is None
    with pytest.raises(TooLarge):
        log.begin([Message(ALERTS, "k", bytes(MAX_MESSAGE + 1))])
    log.close()

"""The embedded log for who waits without a thread."""

import threading
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


def test_what_was_given_up_before_it_was_written_never_is(tmp_path: Path) -> None:
    writing, goes_on = threading.Event(), threading.Event()

    def stalls(point: str) -> None:
        if point == "log.before-commit":
            writing.set()
            assert goes_on.wait(10)

    # Room for two that wait: what is given up makes room again.
    log = SqliteLog(tmp_path / "log", lambda: 1, None, Limits(waiting=8), stalls)
    first = log.begin([Message(ALERTS, "k", b"one")])
    assert writing.wait(10)
    second = log.begin([Message(ALERTS, "k", b"two")])
    assert first is not None
    assert second is not None
    assert log.begin([Message(ALERTS, "k", b"no room")]) is None
    assert not first.cancel()
    assert second.cancel()
    goes_on.set()
    assert len(first.result(10)) == 1
    log.publish([Message(ALERTS, "k", b"three")])
    third = log.begin([Message(ALERTS, "k", b"four")])
    assert third is not None
    third.result(10)
    inbox = log.inbox("g", [ALERTS])
    assert [record.value for record in inbox.poll(0)] == [b"one", b"three", b"four"]
    inbox.close()
    log.close()

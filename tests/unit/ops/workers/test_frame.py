"""What a worker does around its part: connecting, telling how it is, ending."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from ops import endpoint
from ops.parts.shared import Shared
from ops.settings import Settings
from ops.transport.log import Log
from ops.transport.log_clock import wall
from ops.workers import frame as frames
from ops.workers.frame import Frame
from schemas.errors import LogAway, Refused, TooLarge
from schemas.plans import Health
from schemas.stage import Inbox, Message, Position
from schemas.topics import CODEC, HEALTH
from tests.support.waiting import eventually
from tests.support.worker_process import FakePart


class FakeLog:
    """Keeps what is published; raises `fault` instead, if one is set."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.fault: Exception | None = None
        self.closed = False
        self.clock = wall

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        if self.fault is not None:
            raise self.fault
        self.messages += messages
        return []

    def inbox(self, group: str, topics: Sequence[str]) -> Inbox:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True

    @property
    def told(self) -> list[Health]:
        events = [CODEC.decode(message.value).event for message in self.messages]
        assert all(isinstance(event, Health) for event in events)
        return events  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PAUSE", 0.01)
    monkeypatch.setattr(frames, "CLOSING", 0.5)


@contextmanager
def running(
    home: Path,
    part: FakePart,
    log: Callable[[], Log] | None,
    *,
    eager: bool = False,
    within: float = 3.0,
) -> Iterator[Frame]:
    def make(shared: Shared[Log]) -> FakePart:
        return part

    frame = Frame(Settings(data=home), "fake", make, log, lambda _: None, eager=eager)
    frame.start()
    try:
        yield frame
    finally:
        frame.stop(within)


def ask(home: Path, path: str) -> tuple[int, Any]:
    note = endpoint.read(home, "worker-fake.endpoint")
    assert note is not None
    try:
        with urlopen(f"http://{note.address}{path}", timeout=5) as answer:
            text = answer.read().decode()
            return answer.status, text if path == "/metrics" else json.loads(text)
    except HTTPError as fault:
        with fault:
            return fault.code, json.load(fault)


def test_a_worker_waits_for_kafka_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log, tries, open_now = FakeLog(), [0], threading.Event()

    def connect() -> Log:
        tries[0] += 1
        if not open_now.is_set():
            raise LogAway("nobody answers")
        return log

    part = FakePart()
    with running(tmp_path, part, connect):
        eventually(lambda: tries[0] > 3)
        assert ask(tmp_path, "/readiness") == (
            503,
            {"status": "waiting", "waiting": ["fake", "kafka"]},
        )
        assert ask(tmp_path, "/liveness") == (200, {"status": "alive"})
        code, health = ask(tmp_path, "/health")
        assert (code, health["status"]) == (503, "unhealthy")
        assert "nobody answers" in {stage["message"] for stage in health["stages"]}
        assert not part.started.is_set()
        open_now.set()
        eventually(lambda: ask(tmp_path, "/readiness")[0] == 200)
        assert part.started.is_set()
        assert ask(tmp_path, "/health")[1]["status"] == "healthy"
    assert [r.message for r in caplog.records].count("Kafka away, trying again") == 1
    assert log.closed
    assert endpoint.read(tmp_path, "worker-fake.endpoint") is None


def test_an_eager_part_starts_before_kafka_answers(tmp_path: Path) -> None:
    def connect() -> Log:
        raise LogAway("nobody answers")

    part = FakePart()
    with running(tmp_path, part, connect, eager=True):
        eventually(part.started.is_set)
        assert ask(tmp_path, "/readiness")[1]["waiting"] == ["kafka"]


def test_what_kafka_refuses_is_said_and_not_tried_again(tmp_path: Path) -> None:
    tries = []

    def connect() -> Log:
        tries.append(1)
        raise Refused("wrong password: mend kafka.password_file")

    with running(tmp_path, FakePart(), connect) as frame:
        eventually(lambda: frame.refused)
        assert frame.refused.startswith("wrong password")
    assert len(tries) == 1


def test_what_is_refused_later_ends_the_worker_too_but_a_message_too_large_does_not(
    tmp_path: Path,
) -> None:
    log = FakeLog()
    with running(tmp_path, FakePart(), lambda: log) as frame:
        eventually(lambda: log.told)
        publish = frame._shared.log.publish
        log.fault = TooLarge("too large")
        with pytest.raises(TooLarge):
            publish([])
        assert not frame.refused
        log.fault = Refused("no permission any more")
        with pytest.raises(LogAway, match="no permission"):
            publish([])
        assert frame.refused == "no permission any more"


def test_health_goes_out_at_the_start_and_at_the_end(tmp_path: Path) -> None:
    log = FakeLog()
    with running(tmp_path, FakePart(), lambda: log):
        eventually(lambda: log.told)
        first = log.told[0]
        assert (first.stage, first.healthy) == ("fake", True)
        assert first.worker.endswith(":fake")
        assert first.figures == {"lag": 5, "lag:0": 2, "lag:1": 3, "ready": 1, "vital": 1}
        assert {(m.topic, m.key) for m in log.messages} == {(HEALTH, first.worker)}
    last = log.told[-1]
    assert (last.healthy, last.message, last.figures["ended"]) == (False, "ended", 1)


def test_health_that_cannot_be_told_makes_the_worker_not_ready_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    log = FakeLog()
    log.fault = RuntimeError("a fault of ours")
    part = FakePart()
    with running(tmp_path, part, lambda: log):
        eventually(lambda: ask(tmp_path, "/readiness")[1]["waiting"] == ["kafka"])
        assert part.started.is_set()


def test_a_part_that_hangs_is_left_in_time(tmp_path: Path) -> None:
    log, part = FakeLog(), FakePart("hangs")
    with running(tmp_path, part, lambda: log, within=0.1) as frame:
        eventually(part.started.is_set)
        assert not frame.stop(0.6)
    assert log.closed


def test_a_log_that_does_not_close_is_left_in_time(tmp_path: Path) -> None:
    log, forever = FakeLog(), threading.Event()
    log.close = forever.wait  # type: ignore[method-assign,assignment]
    part = FakePart()
    with running(tmp_path, part, lambda: log, within=0.1) as frame:
        eventually(part.started.is_set)
        assert frame.stop(0.6)
        forever.set()


def test_nothing_starts_after_an_end_was_asked_for(tmp_path: Path) -> None:
    log, go, part = FakeLog(), threading.Event(), FakePart()

    def connect() -> Log:
        go.wait(10)
        return log

    with running(tmp_path, part, connect) as frame:
        assert frame.stop(0.6)
        go.set()
        frame._opening.join(5)
    assert not part.started.is_set()


def test_a_part_that_is_broken_or_cannot_be_made_says_why(tmp_path: Path) -> None:
    with running(tmp_path, FakePart("breaks"), FakeLog) as frame:
        eventually(lambda: frame.broken == "no idea: read the log")

    def make(_: Shared[Log]) -> FakePart:
        raise KeyError("nothing there")

    frame = Frame(Settings(data=tmp_path), "fake", make, FakeLog, lambda _: None)
    frame.start()
    eventually(lambda: frame.broken == "KeyError: 'nothing there'")
    assert ask(tmp_path, "/health")[1]["stages"][0]["healthy"] is False
    frame.stop(1.0)


def test_figures_are_those_of_the_part_and_of_each_partition_once(tmp_path: Path) -> None:
    with running(tmp_path, FakePart(), FakeLog):
        eventually(lambda: ask(tmp_path, "/readiness")[0] == 200)
        code, text = ask(tmp_path, "/metrics")
    assert code == 200
    assert 'tocsin_stage_lag_records{partition="1",stage="fake"} 3\n' in text
    assert 'tocsin_stage_lag_records{stage="fake"}' not in text
    assert 'tocsin_stage_ready{stage="kafka"} 1\n' in text
    assert "tocsin_start_time_seconds " in text


def test_a_page_that_is_not_there_is_404(tmp_path: Path) -> None:
    with running(tmp_path, FakePart(), FakeLog):
        assert ask(tmp_path, "/secrets")[0] == 404


def test_an_address_that_somebody_has_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, FakePart(), FakeLog) as frame:
        taken = frame._probe.address
        settings = Settings.model_validate({"data": tmp_path, "worker": {"listen": taken}})
        with pytest.raises(Refused, match="choose another port"):
            Frame(settings, "fake", lambda _: FakePart(), FakeLog, lambda _: None)

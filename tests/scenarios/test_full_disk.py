"""No room: inputs wait with who sends them, decisions go on, and all is well once there is room."""

import contextlib
import os
import random
import subprocess
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.http_publish import HttpPublish
from schemas.envelope import Envelope, Producer
from schemas.errors import LogAway
from schemas.labels import labels_of
from schemas.metrics import MetricBatch
from schemas.series import pack_series
from schemas.stage import Message
from schemas.topics import CODEC, METRICS
from tests.support import promises
from tests.support.history_rows import Rows
from tests.support.log_file import LogFile
from tests.support.oracle import ROUTES, RULES, Oracle, over_http
from tests.support.sender import Sender
from tests.support.tocsin_process import Tocsin, wall
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

SLOW = """
      - alert: Damp
        expr: damp > 90
        for: 5s
"""
MIB = 1 << 20
MOST = 25_000


def _taken(act: Callable[[], object]) -> None:
    """Try until the log takes it."""

    def tried() -> bool:
        try:
            act()
        except LogAway:
            return False
        return True

    eventually(tried, 60)


class Flood:
    """Publishes large batches as fast as they are taken, and on when they are not."""

    def __init__(self, tocsin: Tocsin) -> None:
        self.refused = 0
        self._publish = HttpPublish(tocsin.url, tocsin.token_file.read_text)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._noise = random.Random(1).randbytes(400_000)

    def __enter__(self) -> "Flood":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._publish.close()

    def _run(self) -> None:
        block = pack_series([labels_of({"__name__": "flood", "instance": "flood"})])
        count = MOST
        while not self._stop.is_set():
            now = wall()
            batch = MetricBatch(
                instance="flood",
                series=block,
                times=array("q", range(now - count, now)).tobytes(),
                values=self._noise[: 8 * count],
                index=bytes(4 * count),
            )
            value = CODEC.encode(Envelope("flood", Producer("flood"), now, batch))
            try:
                self._publish.publish([Message(METRICS, "flood", value)])
            except LogAway:
                self.refused += 1
                count = max(count // 2, 50)  # so that small batches find no room either
                self._stop.wait(0.01)
            else:
                count = min(count * 2, MOST)


def test_a_full_log_refuses_inputs_and_goes_on_deciding_until_there_is_room(
    tmp_path: Path, receiver: Webhook
) -> None:
    config = {
        "evaluation_interval": "500ms",
        "agent": {"instance": "here", "interval": "500ms"},
        "log": {"max_bytes": "16MiB", "reserve_bytes": "4MiB", "segment_bytes": "1MiB"},
    }
    only = ("agent", "detector", "router", "courier", "console")
    routes = ROUTES.format(url=receiver.url).replace("[life]", "[room]")
    with Tocsin(tmp_path, rules=RULES + SLOW, routes=routes, config=config, only=only) as tocsin:
        tocsin.start().ready()
        with Sender(tocsin.url, tocsin.token_file) as sender:
            sender.send("damp", 99, room="cellar")
            with Flood(tocsin) as flood:
                eventually(lambda: flood.refused > 3, what=tocsin.tail)
                eventually(lambda: "cellar" in receiver.told("room", "firing"), what=tocsin.tail)
                eventually(lambda: tocsin.figure("tocsin_agent_batches_spooled_total") > 0)
                eventually(lambda: tocsin.figure("tocsin_log_refused_total") > 3)
            _taken(lambda: sender.send("damp", 5, room="cellar"))
        eventually(lambda: "cellar" in receiver.told("room", "resolved"))
        eventually(lambda: tocsin.figure("tocsin_agent_batches_waiting") == 0)
        assert tocsin.figure("tocsin_agent_batches_dropped_total") == 0
        assert tocsin.health()["status"] == "healthy"
        assert tocsin.stop() == 0
    assert len(receiver.pages) == 2
    numbers = [
        envelope.producer.sequence
        for _, envelope in LogFile(tocsin.data).envelopes(METRICS)
        if envelope.producer.name == "here"
    ]
    kept = sorted(set(numbers))
    assert kept == list(range(kept[0], kept[-1] + 1)), "behind what retention took, no gap"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MB of its own; skipped where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=96m,mode=700", "tmpfs", str(place)]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    except OSError as fault:
        pytest.skip(f"no mount: {fault}")
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def _fill(ballast: Path, leave: int) -> None:
    """Write until that much is left."""
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while (more := _free(ballast.parent) - leave) > 0:
            file.write(bytes(min(more, MIB)))


def test_a_full_disk_loses_nothing_and_everything_goes_on_when_space_returns(
    small_disk: Path, tmp_path: Path, receiver: Webhook
) -> None:
    config = {
        "data": str(small_disk / "data"),
        "evaluation_interval": "200ms",
        "agent": {"host": {"enabled": False}},
        "log": {"max_bytes": "64MiB", "reserve_bytes": "8MiB", "segment_bytes": "1MiB"},
    }
    routes = ROUTES.format(url=receiver.url).replace("[life]", "[life, room]")
    ballast = small_disk / "ballast"
    with Tocsin(tmp_path, rules=RULES + SLOW, routes=routes, config=config) as tocsin:
        tocsin.start().ready()
        oracle = Oracle(over_http(tocsin.url, tocsin.token_file))
        oracle.start()
        try:
            eventually(lambda: oracle.born > 2)
            with Sender(tocsin.url, tocsin.token_file) as sender:
                sender.send("damp", 99, room="cellar")
                _fill(ballast, 5 * MIB)
                eventually(lambda: oracle.sent[-1].sends > 5, what=tocsin.tail)
                eventually(lambda: "cellar" in receiver.told("room", "firing"), what=tocsin.tail)
                assert tocsin.figure("tocsin_log_refused_total") > 0

                _fill(ballast, 0)
                sends = oracle.sent[-1].sends
                eventually(lambda: oracle.sent[-1].sends > sends + 30, what=tocsin.tail)
                assert tocsin.running, tocsin.tail()
                [child] = tocsin.children()
                child.kill()

                ballast.unlink()
                _taken(lambda: sender.send("damp", 1, room="cellar"))
            born = oracle.born
            eventually(lambda: oracle.born > born + 2, what=tocsin.tail)
            oracle.finish()
            promises.everybody_was_told(oracle, receiver)
            eventually(lambda: "cellar" in receiver.told("room", "resolved"))
        except BaseException:
            oracle.abandon()
            raise
        eventually(lambda: tocsin.health()["status"] == "healthy", 90, tocsin.tail)
        with Rows(tocsin.data) as rows:
            rows.caught_up()
            rows.check_samples(oracle)
            rows.check_records()
        assert tocsin.stop() == 0, tocsin.tail()
        promises.check(LogFile(tocsin.data), oracle, receiver, kills=0)

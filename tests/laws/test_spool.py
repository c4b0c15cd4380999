"""The spool: what was appended is given back in order, whatever happens to process and disk."""

import errno
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.segments import parse
from collectors.spool import Spool
from collectors.spool_files import SpoolFiles
from schemas.errors import DataDirectoryError

BIG = 10_000_000


def drained(spool: Spool, limit: int = 100_000) -> list[bytes]:
    """Everything that waits, in order; each is acknowledged."""
    found = []
    while records := spool.peek(7, BIG):
        found += [record.payload for record in records]
        spool.acknowledge(records[-1].number)
        assert len(found) < limit
    assert spool.pending == 0
    return found


def names(start: int, count: int) -> list[bytes]:
    return [b"%06d" % n for n in range(start, start + count)]


@contextmanager
def opened(directory: Path, max_bytes: int = BIG) -> Iterator[Spool]:
    spool = Spool(directory, max_bytes)
    try:
        yield spool
    finally:
        spool.close()


def filled(directory: Path, groups: int = 4, each: int = 5, max_bytes: int = BIG) -> list[bytes]:
    """A spool on disk with so many groups; what is in it."""
    with opened(directory, max_bytes) as spool:
        for group in range(groups):
            assert spool.append(names(group * each, each))
    return names(0, groups * each)


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


def test_what_was_appended_comes_back_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(names(0, 10))
        spool.append(names(10, 10))
        assert spool.pending == 20
        assert drained(spool) == names(0, 20)
        assert segments(tmp_path) == []


def test_what_was_not_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    filled(tmp_path)
    with opened(tmp_path) as spool:
        records = spool.peek(8, BIG)
        spool.acknowledge(records[-1].number)
    with opened(tmp_path) as spool:
        spool.append([b"new"])
        assert drained(spool) == [*names(8, 12), b"new"]
        assert (spool.damaged, spool.dropped) == (0, 0)


def test_peeking_takes_nothing_and_keeps_to_its_limits(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append([b"x" * 100] * 5)
        assert len(spool.peek(3, BIG)) == 3
        assert len(spool.peek(9, 250)) == 2
        assert len(spool.peek(9, 1)) == 1
        assert spool.pending == 5


def test_a_second_agent_is_kept_out(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(DataDirectoryError, match="another agent"):
        Spool(tmp_path)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(st.integers(1, 9), st.sampled_from(["ack", "peek", "restart"])), max_size=40
    )
)
def test_any_order_of_calls_and_restarts_is_a_queue(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str]
) -> None:
    directory = tmp_path_factory.mktemp("spool")
    spool = Spool(directory, 100_000)
    put, waiting = 0, []
    for step in steps:
        if isinstance(step, int):
            assert spool.append(names(put, step))
            waiting += names(put, step)
            put += step
        elif step == "restart":
            spool.close()
            spool = Spool(directory, 100_000)
        else:
            found = spool.peek(3, BIG)
            assert [record.payload for record in found] == waiting[: len(found)]
            assert bool(found) == bool(waiting)
            if step == "ack" and found:
                spool.acknowledge(found[-1].number)
                waiting = waiting[len(found) :]
        assert spool.pending == len(waiting)
    assert drained(spool) == waiting
    assert (spool.damaged, spool.dropped) == (0, 0)
    spool.close()


def test_when_it_is_full_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=10_000) as spool:
        for n in range(100):
            assert spool.append([b"%03d" % n + b"x" * 500])
            assert spool.size <= 10_000
        kept = drained(spool)
        assert kept == [b"%03d" % n + b"x" * 500 for n in range(100 - len(kept), 100)]
        assert spool.dropped == 100 - len(kept)
        assert len(kept) > 10
        assert spool.damaged == 0


def test_dropping_the_oldest_is_not_taken_for_damage_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=10_000) as spool:
        for n in range(50):
            spool.append([b"%03d" % n + b"x" * 500])
        waiting = spool.pending
    with opened(tmp_path, max_bytes=10_000) as spool:
        assert len(drained(spool)) == waiting
        assert spool.damaged == 0


def test_what_was_read_ahead_and_dropped_is_not_given_again(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=8_000) as spool:
        spool.append([b"%03d" % n + b"x" * 500 for n in range(10)])
        spool.peek(3, BIG)
        for n in range(10, 30):
            spool.append([b"%03d" % n + b"x" * 500])
        found = [int(payload[:3]) for payload in drained(spool)]
        assert found == list(range(30 - len(found), 30))
        assert spool.dropped + len(found) == 30


def test_a_group_that_is_larger_than_the_spool_is_not_taken(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=1_000) as spool:
        spool.append([b"small"])
        assert not spool.append([b"x" * 2_000])
        assert drained(spool) == [b"small"]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file may grow beyond `size`: how a write fails half-way without a disk to fill."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_half_way_leaves_nothing_of_its_group(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append([b"before"])
        with file_size_limit(300):
            assert not spool.append([b"y" * 100] * 20)
            # What waits can be read and acknowledged while nothing can be written.
            assert [record.payload for record in spool.peek(9, BIG)] == [b"before"]
        assert spool.append([b"after"])
        assert drained(spool) == [b"before", b"after"]
        assert (spool.damaged, spool.dropped) == (0, 0)


def test_records_are_acknowledged_while_the_disk_is_full(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(names(0, 10))
        with file_size_limit(0):
            assert not spool.append([b"more"])
            assert drained(spool) == names(0, 10)
            assert segments(tmp_path) == []
        assert spool.append([b"more"])
        assert drained(spool) == [b"more"]


def test_a_directory_that_cannot_be_used_is_said_and_used_once_it_can(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the directory should be")
    with opened(tmp_path / "spool") as spool:
        assert not spool.append([b"x"])
        assert spool.peek(1, BIG) == []
        (tmp_path / "spool").unlink()
        assert spool.append([b"x"])
        assert drained(spool) == [b"x"]


def test_a_segment_cut_at_any_byte_loses_only_what_was_cut(tmp_path: Path) -> None:
    written = filled(tmp_path / "whole", groups=1, each=4)
    (segment,) = segments(tmp_path / "whole")
    content = segment.read_bytes()
    size = len(content) // 4
    for cut in range(len(content)):
        directory = tmp_path / f"cut-{cut}"
        directory.mkdir()
        (directory / segment.name).write_bytes(content[:cut])
        with opened(directory) as spool:
            assert spool.append([b"new"])
            assert drained(spool) == [*written[: cut // size], b"new"]
            assert spool.damaged >= int(cut % size > 0)


def test_a_flipped_bit_anywhere_loses_one_record_and_counts_it(tmp_path: Path) -> None:
    written = filled(tmp_path / "whole", groups=1, each=4)
    (segment,) = segments(tmp_path / "whole")
    content = segment.read_bytes()
    dice = random.Random(37)
    for trial in range(200):
        at = dice.randrange(len(content))
        flipped = bytearray(content)
        flipped[at] ^= 1 << dice.randrange(8)
        directory = tmp_path / f"flip-{trial}"
        directory.mkdir()
        (directory / segment.name).write_bytes(flipped)
        with opened(directory) as spool:
            spool.append([b"new"])
            lost = at // (len(content) // 4)
            assert drained(spool) == [*written[:lost], *written[lost + 1 :], b"new"]
            assert spool.damaged == 1


@settings(max_examples=100, deadline=None)
@given(noise=st.binary(max_size=300), at=st.integers(0, 200))
def test_whatever_bytes_are_in_a_segment_it_starts_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    directory = tmp_path_factory.mktemp("spool")
    filled(directory, groups=1, each=6)
    (segment,) = segments(directory)
    content = segment.read_bytes()
    segment.write_bytes(content[:at] + noise + content[at + len(noise) :])
    with opened(directory) as spool:
        assert spool.append([b"new"])
        found = drained(spool)
    assert found[-1] == b"new"
    assert [payload for payload in names(0, 6) if payload in found] == found[:-1]


def test_a_missing_segment_is_counted(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=8_000) as spool:
        spool.append([b"%d" % n + b"x" * 500 for n in range(2)])
        for n in range(2, 6):
            spool.append([b"%d" % n + b"x" * 500])
    segments(tmp_path)[1].unlink()
    with opened(tmp_path, max_bytes=8_000) as spool:
        found = [int(payload[:1]) for payload in drained(spool)]
        assert len(found) + spool.damaged == 6
        assert spool.damaged > 0
        assert found == sorted(found)


@pytest.mark.parametrize("damage", [b"", b"\x00" * 64, b"garbage", b"\xff" * 1_000])
def test_a_damaged_cursor_only_repeats(tmp_path: Path, damage: bytes) -> None:
    filled(tmp_path)
    with opened(tmp_path) as spool:
        spool.acknowledge(spool.peek(3, BIG)[-1].number)
    (tmp_path / "cursor").write_bytes(damage)
    with opened(tmp_path) as spool:
        found = drained(spool)
        assert found[-17:] == names(3, 17)
        assert spool.damaged == 0


def test_a_stale_cursor_only_repeats(tmp_path: Path) -> None:
    filled(tmp_path)
    stale = (tmp_path / "cursor").read_bytes()
    with opened(tmp_path) as spool:
        spool.acknowledge(spool.peek(5, BIG)[-1].number)
    (tmp_path / "cursor").write_bytes(stale)
    with opened(tmp_path) as spool:
        assert drained(spool) == names(0, 20)


def test_a_damaged_end_of_the_segment_in_use_does_not_block_what_follows(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(names(0, 3))
        (segment,) = segments(tmp_path)
        content = bytearray(segment.read_bytes())
        content[-1] ^= 1
        segment.write_bytes(content)
        assert [record.payload for record in spool.peek(9, BIG)] == names(0, 2)
        assert drained(spool) == names(0, 2)
        assert spool.damaged == 1
        spool.append([b"new"])
        assert drained(spool) == [b"new"]
        assert spool.damaged == 1


WRITER = """
import sys
from pathlib import Path
from collectors.spool import Spool
spool = Spool(Path(sys.argv[1]), 3_000_000)
n = int(sys.argv[2])
while True:
    group = [b"%08d" % (n + i) + b"x" * (n % 900) for i in range(1 + n % 5)]
    assert spool.append(group)
    n += len(group)
    print(n, flush=True)
    if n % 3 == 0:
        record = spool.peek(1, 1_000_000)[0]
        print(-int(record.payload[:8]), flush=True)
        spool.acknowledge(record.number)
"""


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    dice = random.Random(1)
    appended, read = 0, -1
    for _ in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(appended)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        assert writer.stdout is not None
        with writer:
            for _ in range(dice.randrange(1, 120)):
                line = int(writer.stdout.readline())
                appended, read = (line, read) if line > 0 else (appended, max(read, -line))
            os.kill(writer.pid, signal.SIGKILL)
            for rest in writer.stdout.read().split("\n"):
                if rest.lstrip("-").isdigit():
                    line = int(rest)
                    appended, read = (line, read) if line > 0 else (appended, max(read, -line))
        # The spool may hold one group more than was said; the next writer begins behind it.
        with opened(tmp_path, 3_000_000) as spool:
            first = spool.peek(1, BIG)
            assert not first or int(first[0].payload[:8]) <= read + 1
        stored = [
            r.payload for path in segments(tmp_path) for r in parse(path.read_bytes(), 0).records
        ]
        assert not stored or int(stored[-1][:8]) >= appended - 1
        appended = max([appended, *(int(payload[:8]) + 1 for payload in stored[-9:])])
    with opened(tmp_path, 3_000_000) as spool:
        found = [int(payload[:8]) for payload in drained(spool)]
        assert found == list(range(found[0], found[-1] + 1))
        assert found[0] <= read + 1
        assert found[-1] >= appended - 1
        assert spool.dropped == 0


def test_when_the_disk_is_full_the_oldest_go_and_the_newest_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # RLIMIT_FSIZE cannot play a full disk, on which another file takes no more either.
    room = 5_000
    write = SpoolFiles.write

    def bounded(files: SpoolFiles, content: bytes) -> None:
        if sum(path.stat().st_size for path in segments(tmp_path)) + len(content) > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(files, content)

    monkeypatch.setattr(SpoolFiles, "write", bounded)
    with opened(tmp_path, max_bytes=8_000) as spool:
        for n in range(40):
            assert spool.append([b"%03d" % n + b"x" * 500])
        found = [int(payload[:3]) for payload in drained(spool)]
        assert found == list(range(40 - len(found), 40))
        assert spool.dropped + len(found) == 40
        assert spool.damaged == 0


def test_a_disk_that_fails_without_being_full_costs_nothing_that_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(files: SpoolFiles, content: bytes) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with opened(tmp_path) as spool:
        spool.append(names(0, 3))
        with monkeypatch.context() as patch:
            patch.setattr(SpoolFiles, "write", broken)
            assert not spool.append([b"new"])
        assert spool.append([b"new"])
        assert drained(spool) == [*names(0, 3), b"new"]
        assert (spool.damaged, spool.dropped) == (0, 0)


def test_a_half_written_group_that_cannot_be_cut_off_hides_nothing_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = SpoolFiles.write

    def half(files: SpoolFiles, content: bytes) -> None:
        write(files, content[: len(content) // 2])
        raise OSError(errno.EIO, "Input/output error")

    def uncut(files: SpoolFiles, size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with opened(tmp_path) as spool:
        spool.append(names(0, 3))
        with monkeypatch.context() as patch:
            patch.setattr(SpoolFiles, "write", half)
            patch.setattr(SpoolFiles, "cut", uncut)
            assert not spool.append(names(100, 4))
        assert spool.append([b"new"])
        found = drained(spool)
        assert [each for each in found if each not in names(100, 4)] == [*names(0, 3), b"new"]

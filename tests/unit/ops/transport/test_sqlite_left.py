"""What is reckoned to be left of the file is never more than is left."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ops.transport.sqlite_log import SqliteLog
from ops.transport.sqlite_writer import Limits
from ops.transport.stage_log import StageCommit
from schemas.stage import Message, Partition, StateChange
from schemas.topics import ALERTS, METRICS

HERE = Partition(ALERTS, 0)
LIMITS = Limits(file=1 << 30, reserve=1 << 20, segment=100_000)
SIZES = st.sampled_from([1, 50, 3_000, 9_000, 60_000])
MESSAGES = st.builds(
    lambda topic, size: Message(topic, "k", b"x" * size), st.sampled_from([ALERTS, METRICS]), SIZES
)
CHANGES = st.builds(
    lambda key, size: StateChange(key, b"y" * size if size else None),
    st.text("abc", max_size=9),
    st.just(0) | SIZES,
)
COMMITS = st.builds(
    lambda at, outputs, changes: StageCommit("router", HERE, at, outputs, changes),
    st.integers(0, 99),
    st.lists(MESSAGES, max_size=3),
    st.lists(CHANGES, max_size=40),
)


@settings(max_examples=30)
@given(st.lists(st.lists(MESSAGES, min_size=1, max_size=20) | COMMITS, max_size=20))
def test_what_commits_take_is_not_reckoned_too_low(
    commits: list[list[Message] | StageCommit],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        log = SqliteLog(Path(directory) / "log", lambda: 1_000, limits=LIMITS)
        room = log._writer._room
        log.publish([Message(METRICS, "k", b"x")])
        for one in commits:
            if isinstance(one, StageCommit):
                log.commit_stage(one)
            else:
                log.publish(one)
            left = LIMITS.file - LIMITS.reserve - room.used()
            # Much less would be of no use: the file would be asked each time.
            assert 9 * left // 10 < room._left <= left
        log.close()

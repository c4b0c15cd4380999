"""Which segments go: those past their age, inputs beyond their size, and what a full file sheds."""

from collections.abc import Mapping, Sequence

from ops.transport.sqlite_segments import Segment
from schemas.stage import Partition
from schemas.topics import DEAD_LETTERS, TOPICS

Segments = Mapping[Partition, Sequence[Segment]]
_LIFETIMES = {name: topic.retention.total_seconds() * 1000 / 8 for name, topic in TOPICS.items()}
"""ms after which a segment takes nothing more, however small it is."""


def closes(segment: Segment, now: int, size: int) -> bool:
    """Whether what comes next begins another segment: this one has `size` bytes, or its age."""
    return segment.bytes >= size or now - segment.first_at > _LIFETIMES[segment.partition.topic]


def outdated(segments: Segments, now: int, retain: int) -> list[Segment]:
    """Segments past their topic's age, and the oldest inputs beyond `retain` bytes.

    A partition keeps its newest segment, which knows where it ends. Dead letters, which are read
    by people, do not age faster because there is much to measure: of `retain` they are no part.
    """
    old = []
    inputs = []
    for partition, held in segments.items():
        topic = TOPICS[partition.topic]
        horizon = now - topic.retention.total_seconds() * 1000
        for segment in held[:-1]:
            if segment.last_at < horizon:
                old.append(segment)
            elif not topic.decisions and partition.topic != DEAD_LETTERS:
                inputs.append(segment)
    inputs.sort(key=lambda segment: segment.first_at)
    excess = sum(segment.bytes for segment in inputs) - retain
    for segment in inputs:
        if excess <= 0:
            break
        excess -= segment.bytes
        old.append(segment)
    return old


def shed(segments: Segments, excess: int, read: Mapping[Partition, int]) -> list[Segment]:
    """Segments to give up so that `excess` bytes are freed, as far as that can be.

    Dead letters go first, then inputs, then decisions; each oldest first. Of decisions only what
    every group that ever committed has `read` (up to that offset) goes: a page is never among it.
    """
    candidates = sorted(
        (
            (_rank(partition), segment.first_at, segment.id, segment)
            for partition, held in segments.items()
            for segment in held[:-1]
            if not TOPICS[partition.topic].decisions or segment.end <= read.get(partition, 0)
        ),
        key=lambda candidate: candidate[:3],
    )
    gone: list[Segment] = []
    for *_, segment in candidates:
        if excess <= 0:
            break
        excess -= segment.bytes
        gone.append(segment)
    return gone


def _rank(partition: Partition) -> int:
    if partition.topic == DEAD_LETTERS:
        return 0
    return 2 if TOPICS[partition.topic].decisions else 1

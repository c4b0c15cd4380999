"""The newest records of a partition, in memory: who keeps up with the log need not read the file.

Each commit makes a reader's pages outdated, so a look at a few records costs as much as deciding on
them: locks of the file, and every page on the way to the records anew.
"""

from collections.abc import Sequence

from ops.transport.sqlite_segments import Row

KEPT = 64
"""Records."""
SMALL = 16 * 1024
"""Bytes of a record that is kept at most; with `KEPT`, what a partition may take of memory."""


def extended(tail: tuple[Row, ...], rows: Sequence[Row]) -> tuple[Row, ...]:
    """The tail after a commit of these: without a hole, and up to the partition's end or empty."""
    if len(rows) > KEPT or any(len(row[2]) + len(row[3]) > SMALL for row in rows):
        # Of so much at once the file costs little.
        return ()
    return (*tail, *rows)[-KEPT:]


def found(tail: tuple[Row, ...], offset: int, limit: int) -> tuple[Row, ...]:
    """At most `limit` rows from `offset` on; none where the tail begins later, or ends before."""
    if not tail or offset < tail[0][0]:
        return ()
    start = offset - tail[0][0]
    return tail[start : start + limit]

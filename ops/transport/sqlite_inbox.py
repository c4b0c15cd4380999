"""Consumer groups of the embedded log."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from schemas.stage import Gap, Message, Partition, Record

if TYPE_CHECKING:
    from ops.transport.sqlite_log import SqliteLog


class Membership:
    """Who is in a group; partitions are dealt out in turn whenever somebody joins or leaves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: list[SqliteInbox] = []

    def join(self, member: SqliteInbox) -> None:
        """Deal the partitions out again, with one member more."""
        with self._lock:
            self._members.append(member)
            self._deal()

    def leave(self, member: SqliteInbox) -> None:
        """Deal them out among those who stay."""
        with self._lock:
            if member in self._members:
                self._members.remove(member)
            self._deal()

    def _deal(self) -> None:
        wanted = sorted({p for member in self._members for p in member.wanted})
        hands: dict[int, set[Partition]] = {id(member): set() for member in self._members}
        for turn, partition in enumerate(wanted):
            takers = [member for member in self._members if partition in member.wanted]
            hands[id(takers[turn % len(takers)])].add(partition)
        for member in self._members:
            member.assign(frozenset(hands[id(member)]))


class SqliteInbox:
    """A member of a group; see `schemas.stage.Inbox`."""

    def __init__(
        self, log: SqliteLog, group: str, membership: Membership, wanted: Sequence[Partition]
    ) -> None:
        self.wanted = frozenset(wanted)
        self._log = log
        self._group = group
        self._membership = membership
        self._reader = log.reader()
        self._grown = log.listen(sorted({partition.topic for partition in wanted}))
        self._lock = threading.Lock()
        self._assigned: frozenset[Partition] = frozenset()
        self._next: dict[Partition, int] = {}
        self._gaps: list[Gap] = []
        self._turn = 0
        membership.join(self)

    def assign(self, partitions: frozenset[Partition]) -> None:
        """Own exactly these from now on; what is new goes on where the group committed."""
        with self._lock:
            self._assigned = partitions
            self._next = {p: at for p, at in self._next.items() if p in partitions}
            self._grown.set()

    def assigned(self) -> frozenset[Partition]:
        """What this member owns now."""
        return self._assigned

    def sure(self) -> bool:
        """Always: members share a process, and their directory has one owner."""
        return True

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:
        """The next committed records; empty after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self._grown.clear()
            if records := self._take(limit):
                return records
            left = deadline - time.monotonic()
            if left <= 0 or not self._grown.wait(left):
                return []

    def gaps(self) -> list[Gap]:
        """What was lost to retention since the last call."""
        found, self._gaps = self._gaps, []
        return found

    def lag(self) -> dict[Partition, int]:
        """How many records are still to come of what is owned; any thread may ask."""
        with self._lock:
            following = dict(self._next)
        return {p: max(0, self._reader.end(p) - at) for p, at in following.items()}

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Let the group go on here; partitions that another member has meanwhile stay its own."""
        if mine := self._mine(offsets):
            self._log.commit_offsets(self._group, mine)

    def settle(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        """Append, and let the group go on; see `schemas.stage.Settle`."""
        self._log.settle(messages, self._group, self._mine(offsets))

    def close(self) -> None:
        """Leave the group without committing."""
        self._membership.leave(self)
        self._log.unlisten(self._grown)
        self._reader.close()

    def _mine(self, offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        return {p: offset for p, offset in offsets.items() if p in self._assigned}

    def _take(self, limit: int) -> list[Record]:
        records: list[Record] = []
        with self._lock:
            owned = sorted(self._assigned)
            for step in range(len(owned)):
                partition = owned[(self._turn + step) % len(owned)]
                if partition not in self._next:
                    self._next[partition] = self._reader.committed(self._group, partition) or 0
                found, gap = self._reader.read(
                    partition, self._next[partition], limit - len(records)
                )
                if gap:
                    self._gaps.append(gap)
                    self._next[partition] = gap.resumed
                if found:
                    self._next[partition] = found[-1].offset + 1
                    records += found
                if len(records) >= limit:
                    break
            self._turn += 1
        return records

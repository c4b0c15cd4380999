"""What the router remembers of rate limits: one queue for each channel that has a limit.

A person with a limit has one, too, of the kind `PERSON`: it counts, and holds nothing itself.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import ormsgpack

from notifiers.alarms import Alarms
from notifiers.group import Outstanding, line_id
from notifiers.storms.settings import RateLimit
from schemas.deliveries import Receipt, Why

PERSON = "person"


class Task(StrEnum):
    """What is done with every line of a digest: it joins, hears the end, or parts from it."""

    GATHER = "gather"
    END = "end"
    PART = "part"


@dataclass(slots=True)
class Sweep:
    """A task that goes over what is held, some lines a step.

    `after` is the last group it came to; `fate` and `detail` are the receipt's.
    """

    task: Task
    after: str = ""
    fate: str = ""
    detail: str = ""


@dataclass(slots=True)
class Queue:
    """One channel under a limit.

    `sent` are its messages and when they went out, the oldest first; `digest` is the one that is
    on its way, `failures` its attempts that failed, `resume_at` the instant before which none is
    begun. `sequence` numbers the digests. While there is a `sweep` the digest is not sent yet, or
    its fate is known. All instants in ms.
    """

    receiver: str
    kind: str
    index: int
    sent: dict[str, int] = field(default_factory=dict)
    digest: Outstanding | None = None
    failures: int = 0
    resume_at: int = 0
    sequence: int = 0
    wake: int | None = None
    sweep: Sweep | None = None
    told_at: int = 0
    """When it last had a message that counted for a person's limit, too."""

    @property
    def id(self) -> str:
        """Which channel; the same as its lines'."""
        return line_id(self.receiver, self.kind, self.index)

    def free_at(self, limit: RateLimit | None, now: int) -> int:
        """The first instant from now on at which the limit allows a message."""
        if limit is None:
            return now
        taken = [at for at in self.sent.values() if at > now - limit.per]
        return now if len(taken) < limit.messages else taken[-limit.messages] + limit.per

    def take(self, limit: RateLimit | None, delivery: str, now: int) -> None:
        """A message goes out; those that no window can hold any more are forgotten."""
        oldest = now if limit is None else now - limit.per
        self.sent = {one: at for one, at in self.sent.items() if at > oldest}
        if limit is not None:
            self.sent[delivery] = now

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        out, sweep = self.digest, self.sweep
        return ormsgpack.packb(
            [
                *(self.receiver, self.kind, self.index, self.sent),
                None
                if out is None
                else [out.id, out.at, out.attempt, out.expires_at, out.wake, out.digest],
                *(self.failures, self.resume_at, self.sequence, self.wake),
                None if sweep is None else [sweep.task, sweep.after, sweep.fate, sweep.detail],
                self.told_at,
            ]
        )


def unpacked_queue(entry: bytes) -> Queue:
    """The queue of a checkpoint's entry."""
    receiver, kind, index, sent, out, *newer = ormsgpack.unpackb(entry)
    failures, resume_at, sequence, wake, *swept = newer
    digest = None
    if out is not None:
        name, at, *rest = out
        digest = Outstanding(name, at, Why.DIGEST, frozenset(), frozenset(), 0, *rest)
    # An older version knew no sweeps, and an older one no persons.
    under_way = swept[0] if swept else None
    told_at = swept[1] if len(swept) > 1 else 0
    sweep = None if under_way is None else Sweep(Task(under_way[0]), *under_way[1:])
    return Queue(
        *(receiver, kind, index, sent, digest, failures, resume_at, sequence, wake),
        sweep=sweep,
        told_at=told_at,
    )


class LimitBook:
    """Queues by the name of their channel, and the groups whose lines each holds back."""

    prefix = "limit"

    def __init__(self) -> None:
        self.known: dict[str, Queue] = {}
        self.held: dict[str, set[str]] = {}
        """Groups by channel; kept by the lines, which say so themselves in the checkpoint."""
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, queue: Queue) -> None:
        """Know this queue, or that it changed."""
        self.known[queue.id] = queue
        self.touched.add(queue.id)
        self.alarms.set(queue.id, queue.wake)

    def forget(self, name: str) -> None:
        """The channel is gone, or has no limit and holds nothing."""
        self.known.pop(name, None)
        self.touched.add(name)
        self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(unpacked_queue(entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        queue = self.known.get(name)
        return None if queue is None else queue.packed()

    def digest_of(self, receipt: Receipt) -> Queue | None:
        """The queue whose digest under way the receipt is about."""
        queue = self.known.get(line_id(receipt.receiver, receipt.channel, receipt.integration))
        out = None if queue is None or queue.sweep is not None else queue.digest
        return queue if out is not None and out.id == receipt.delivery else None

    def hold(self, group_id: str, name: str) -> None:
        """The group's line of this channel waits for a digest."""
        self.held.setdefault(name, set()).add(group_id)

    def let_go(self, group_id: str, name: str) -> None:
        """It waits no more."""
        waiting = self.held.get(name)
        if waiting is not None:
            waiting.discard(group_id)
            if not waiting:
                del self.held[name]

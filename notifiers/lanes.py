"""Which delivery may go next, and what came of those that went: between the loop and its threads.

A lane is one channel of one group; its deliveries go one after another. One channel gets only so
many threads, so that a dead receiver does not hold up the others; and where many receivers are
dead at once, what they keep waiting does not count, and others get threads in their place. A
thread that has an answer takes the next delivery by itself: it waits neither for the loop nor for
the log.
"""

from collections import OrderedDict, deque
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import inf
from threading import Condition
from time import monotonic

from schemas.envelope import Envelope
from schemas.stage import Output, Partition, Record

Lane = tuple[str, str, int]
Key = tuple[str, int]
"""Receiver and integration of a channel; or an event's id and its attempt."""
TRUST = 1.0
SLOW = 1.0
"""Seconds after which a delivery that is under way makes room for another one."""
MOST_THREADS = 64
MOST_REMEMBERED = 10_000
"""Receipts; each is at most some KiB."""


@dataclass(slots=True)
class Task:
    """One delivery; `attempt` is the event's id, which a resend does not share, and its number."""

    record: Record
    envelope: Envelope
    lane: Lane
    attempt: Key


@dataclass(slots=True)
class Answer:
    """What a task came to; a `fault` ends the loop."""

    task: Task
    outputs: list[Output]
    fault: BaseException | None = None


@dataclass(slots=True)
class _Channel:
    idle: deque[Lane] = field(default_factory=deque)
    """Lanes with something that may go."""
    busy: int = 0
    offered: bool = False


class Lanes:
    """What waits, by channel: one that is busy costs nothing, however much waits for it.

    No more than `threads` are under way or answered without their receipt in the log, for these are
    sent again after a crash: no more than if each thread waited for its receipt. What has failed a
    try, or has been under way for `SLOW` seconds, comes on top, up to `MOST_THREADS`.
    `owns`, `add`, `startable`, `answers` and `settled` are the loop's, `take`, `fails` and `answer`
    the threads'. What waits of partitions that the inbox does not own any more is dropped.
    """

    def __init__(self, threads: int, remembered: OrderedDict[Key, Output]) -> None:
        self._owned: AbstractSet[Partition] = frozenset()
        self._looked = -inf
        self.waiting = 0
        self._most_busy = max(1, threads // 4)
        self._threads = threads
        self._remembered = remembered
        self._changed = Condition()
        self._lanes: dict[Lane, deque[Task]] = {}
        """What waits for each lane that has something under way or waiting."""
        self._channels: dict[Key, _Channel] = {}
        self._offers: deque[Key] = deque()
        """Channels that have both an idle lane and a thread to spare, each in its turn."""
        self._workers = 0
        self._running = 0
        self._unsettled = 0
        self._begun: dict[Lane, float] = {}
        """When each that is under way began, the oldest first, but for the slow."""
        self._slow: set[Lane] = set()
        self._answers: list[Answer] = []
        self._closed = False
        self._failed = False

    def owns(self, partitions: AbstractSet[Partition], sure: bool) -> None:
        """What the loop's inbox owns now; believed for `TRUST` seconds if it is `sure`."""
        with self._changed:
            if lost := self._owned - partitions:
                self._drop(lost)
            self._owned = partitions
            if sure:
                self._looked = monotonic()

    @property
    def running(self) -> int:
        """How many are under way."""
        return self._running

    def add(self, task: Task) -> None:
        """Let it wait for its turn."""
        with self._changed:
            if task.record.partition not in self._owned:
                return  # it went since it was read
            self.waiting += 1
            if (waiting := self._lanes.get(task.lane)) is None:
                self._lanes[task.lane] = deque([task])
                self._idle(task.lane)
            else:
                waiting.append(task)

    def startable(self) -> int:
        """How many more threads have something to do; they count as started."""
        with self._changed:
            if self._closed:
                return 0
            self._look_for_slow()
            wanted = sum(
                min(self._most_busy - found.busy, len(found.idle))
                for found in (self._channels[key] for key in self._offers)
            )
            # A thread that is about to look takes one of them.
            wanted = min(wanted, self._room()) - (self._workers - self._running)
            threads = min(self._threads + len(self._slow), MOST_THREADS)
            found = max(0, min(wanted, threads - self._workers))
            self._workers += found
            return found

    def take(self) -> Task | None:
        """What a thread does next; None when there is nothing, and the thread ends."""
        with self._changed:
            # A process that slept may own nothing any more: the loop has to look first.
            now = monotonic()
            fresh = now - self._looked < TRUST
            if fresh and self._offers and self._room() > 0 and not self._closed:
                key = self._offers.popleft()
                channel = self._channels[key]
                channel.offered = False
                lane = channel.idle.popleft()
                task = self._lanes[lane].popleft()
                self.waiting -= 1
                channel.busy += 1
                self._running += 1
                self._unsettled += 1
                self._begun[lane] = now
                self._offer(key, channel)
                return task
            self._workers -= 1
            return None

    def known(self, task: Task) -> Output | None:
        """What this very attempt was answered: the router, too, publishes at least once."""
        with self._changed:
            return self._remembered.get(task.attempt)

    def fails(self, task: Task) -> None:
        """A try has failed, and another is to come: until then this one makes room."""
        with self._changed:
            if self._begun.pop(task.lane, None) is not None:
                self._slow.add(task.lane)

    def answer(self, answer: Answer) -> None:
        """Say what came of a task; after a fault its lane stays as it is."""
        with self._changed:
            self._answers.append(answer)
            if answer.fault is not None:
                self._failed = self._closed = True
            else:
                self._running -= 1
                self._begun.pop(answer.task.lane, None)
                self._slow.discard(answer.task.lane)
                # The receipt alone: a dead letter is as large as the record that it buries.
                self._remembered[answer.task.attempt] = answer.outputs[0]
                if len(self._remembered) > MOST_REMEMBERED:
                    self._remembered.popitem(last=False)
                self._free(answer.task.lane)
            if self._due():
                self._changed.notify()

    def answers(self, timeout: float) -> list[Answer]:
        """What was answered since the last call.

        Waits until there is no more to come, or no room for it, but at most `timeout` seconds: a
        commit costs more than a message.
        """
        with self._changed:
            self._changed.wait_for(self._due, timeout)
            found, self._answers = self._answers, []
            return found

    def settled(self, count: int) -> None:
        """So many answers are in the log: there is room for as many more."""
        with self._changed:
            self._unsettled -= count

    def close(self) -> None:
        """Start nothing more."""
        with self._changed:
            self._closed = True

    def _drop(self, lost: AbstractSet[Partition]) -> None:
        """Their new owner reads them again; what is under way goes on, under the same id."""
        for lane, waiting in list(self._lanes.items()):
            kept = [task for task in waiting if task.record.partition not in lost]
            self.waiting -= len(waiting) - len(kept)
            idle = self._channels[lane[1:]].idle
            if not kept and lane in idle:
                idle.remove(lane)
                del self._lanes[lane]
            else:
                self._lanes[lane] = deque(kept)
        self._channels = {
            key: found for key, found in self._channels.items() if found.busy or found.idle
        }
        offers = [key for key in self._offers if key in self._channels]
        self._offers.clear()
        for key in offers:
            self._channels[key].offered = False
            self._offer(key, self._channels[key])

    def _due(self) -> bool:
        starting = self._offers and not self._closed
        nothing_more = not self._running and not starting
        no_room = self._answers and self._room() <= 0
        return nothing_more or self._failed or bool(no_room)

    def _room(self) -> int:
        """How many more may be under way."""
        return self._threads + len(self._slow) - self._unsettled

    def _look_for_slow(self) -> None:
        """Receivers that do not answer."""
        longest = monotonic() - SLOW
        while self._begun and next(iter(self._begun.values())) <= longest:
            lane = next(iter(self._begun))
            del self._begun[lane]
            self._slow.add(lane)

    def _idle(self, lane: Lane) -> None:
        key = lane[1:]
        channel = self._channels.setdefault(key, _Channel())
        channel.idle.append(lane)
        self._offer(key, channel)

    def _offer(self, key: Key, channel: _Channel) -> None:
        if channel.idle and channel.busy < self._most_busy and not channel.offered:
            channel.offered = True
            self._offers.append(key)

    def _free(self, lane: Lane) -> None:
        """Nothing of this lane is under way any more."""
        key = lane[1:]
        channel = self._channels[key]
        channel.busy -= 1
        if self._lanes[lane]:
            self._idle(lane)
            return
        del self._lanes[lane]
        self._offer(key, channel)
        if not channel.busy and not channel.idle:
            del self._channels[key]

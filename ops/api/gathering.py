"""Alerts that are posted at the same time go into the log together: one message, one commit."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from ops.api import alertmanager_posting
from ops.api.alertmanager_posting import Posted
from ops.api.alertmanager_refusal import Denied
from ops.api.door import Door
from schemas.errors import LogAway, TooLarge
from schemas.stage import Message, Position

PATIENCE: Final = 8.0
"""Seconds until somebody who posts is told that the log does not answer: less than the 10 that
Prometheus waits (`timeout` of an Alertmanager), or nobody would hear it."""
AGAIN: Final = 0.02
"""Seconds between looks for room, where the log has none."""
PAUSE: Final = 0.002
"""Seconds that those who were just answered are waited for, where there are several."""
FULL: Final = 256 * 1024
"""Bytes of bodies that go at once, whatever else is under way."""


@runtime_checkable
class Begins(Protocol):
    """A log that can be waited for without a thread."""

    def begin(self, messages: Sequence[Message]) -> Future[list[Position]] | None:
        """As `Publish.publish`; None when there is no room just now."""
        ...


@dataclass(slots=True)
class _Batch:
    """What goes together, and who waits for it."""

    levels: list[Posted] = field(default_factory=list)
    size: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    patience: asyncio.TimerHandle | None = None
    begun: Future[list[Position]] | None = None
    over: bool = False
    """All were told that it did not happen, and it shall not."""


class Gathering:
    """One fsync, one record and one step of the router for as many posts as there are at a time.

    A lone post goes at once. What comes while a commit is under way goes together afterwards; where
    several post, those who were just answered are waited for up to `PAUSE`, since a client that
    posts much posts again at once (PostgreSQL's `commit_delay`). Lives in one event loop.
    """

    def __init__(self, door: Door, now: Callable[[], int]) -> None:
        self._door, self._now = door, now
        self._open = _Batch()
        self._under_way = 0
        self._pause: asyncio.TimerHandle | None = None
        self._expected = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def append(self, log: Begins, levels: Sequence[Posted], size: int) -> None:
        """Durable when this returns; `size` bytes held them. Raises `Denied`."""
        loop = asyncio.get_running_loop()
        batch, answer = self._open, loop.create_future()
        if batch.patience is None:
            batch.patience = loop.call_later(PATIENCE, self._late, batch)
        batch.levels += levels
        batch.size += size
        batch.waiting.append(answer)
        paused = self._pause is not None and len(batch.waiting) < self._expected
        if batch.size >= FULL or not (self._under_way or paused):
            self._go(log)
        await answer

    def _go(self, log: Begins) -> None:
        """Begin to append what was gathered."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        batch, self._open = self._open, _Batch()
        if not batch.waiting:
            return
        self._under_way += 1
        try:
            messages = alertmanager_posting.batches(batch.levels, self._now())
            batch.begun = log.begin(messages)
        except Exception as fault:
            self._settle(log, batch, fault)
            return
        if batch.begun is None:
            waiting = self._wait_for_room(log, batch, messages)
            task = asyncio.get_running_loop().create_task(waiting)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._follow(log, batch)

    async def _wait_for_room(self, log: Begins, batch: _Batch, messages: list[Message]) -> None:
        """Begin once there is room, one batch after another; those that are over not at all."""
        try:
            async with self._turn:
                while not batch.over:
                    batch.begun = log.begin(messages)
                    if batch.begun is not None:
                        break
                    await asyncio.sleep(AGAIN)
        except Exception as fault:
            self._settle(log, batch, fault)
        else:
            self._follow(log, batch)

    def _follow(self, log: Begins, batch: _Batch) -> None:
        """Answer once it is known what became of it."""
        loop = asyncio.get_running_loop()

        def done(_: Future[list[Position]]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._done, log, batch)

        if batch.begun is None:
            self._settle(log, batch, TimeoutError())
        else:
            batch.begun.add_done_callback(done)

    def _done(self, log: Begins, batch: _Batch) -> None:
        assert batch.begun is not None
        if batch.begun.cancelled():
            self._settle(log, batch, TimeoutError())
        elif (fault := batch.begun.exception()) is not None:
            self._settle(log, batch, fault)
        else:
            self._door.note(batch.begun.result())
            self._settle(log, batch, None)

    def _settle(self, log: Begins, batch: _Batch, fault: BaseException | None) -> None:
        self._under_way -= 1
        _answer(batch, fault)
        if self._under_way:
            return
        self._expected = len(batch.waiting) + len(self._open.waiting)
        if self._expected > 1:
            self._pause = asyncio.get_running_loop().call_later(PAUSE, self._go, log)
        elif self._open.waiting:
            self._go(log)

    def _late(self, batch: _Batch) -> None:
        """The log does not answer: who is told so can rely on it, for nothing is written any more.

        What is being written at this moment is answered once that is known: only the disk is slow.
        """
        if batch.begun is not None and not batch.begun.cancel():
            return
        if batch is self._open:
            self._open = _Batch()
        batch.over = True
        _answer(batch, TimeoutError())


def _answer(batch: _Batch, fault: BaseException | None) -> None:
    """Tell all who still wait."""
    if batch.patience is not None:
        batch.patience.cancel()
    for answer in batch.waiting:
        if answer.done():
            continue
        if fault is None:
            answer.set_result(None)
        else:
            answer.set_exception(_said(fault))


def _said(fault: BaseException) -> BaseException:
    match fault:
        case TimeoutError():
            return Denied(503, f"no answer within {PATIENCE:g} s")
        case LogAway():
            return Denied(503, str(fault) or "the log does not answer")
        case TooLarge():
            return Denied(400, str(fault))
        case _:
            return fault

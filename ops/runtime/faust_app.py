"""The detector's consumer group on Faust: membership, rebalancing and fetching (ADR 9).

Faust hands every record to the driver of its partition and commits the group's offsets once the
driver's transaction holds them. All that touches Faust is in this file.
"""

import asyncio
import contextlib
import functools
import inspect
import logging
import threading
import time
import types
from collections import deque
from collections.abc import AsyncIterator, Generator
from typing import Any

import faust
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, EventT
from mode.services import WaitResults
from mode.utils.queues import ThrowableQueue

from ops.runtime.partitions import Partitions
from ops.transport import aiokafka_batches
from ops.transport.aiokafka_batches import unreadable
from ops.transport.kafka_clients import Clients, heartbeat
from ops.transport.kafka_faust import faust_credentials
from schemas.stage import Partition, Record

logger = logging.getLogger(__name__)

BUFFERED = 4_096
"""Messages that Faust holds before it stops fetching."""
BUFFERED_BYTES = 4 << 20
"""The same in bytes."""
TOGETHER = 1 << 20
"""Bytes, about, that are handed over in one go."""
FED = 64 << 20
"""Bytes that wait for all drivers together; a partition that has its share is not fetched."""
STOPS_WITHIN = 4.0
ENDS_EVERY = 1.0


class _Member(driver.AIOKafkaConsumerThread):
    """Faust reads what was never committed unless it runs transactions of its own, and without
    tables it deals all partitions out anew whenever a member comes or goes."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._partition_assignment_strategy = (_sticky(consumer),)
        return consumer


def _sticky(consumer: Any) -> type[StickyPartitionAssignor]:
    """Partitions stay where they are. aiokafka keeps what a member has on the class, and never
    says of which generation that is: then a member that slept could claim what others have."""

    class Sticky(StickyPartitionAssignor):  # type: ignore[misc]  # aiokafka has no types
        @classmethod
        def on_assignment(cls, assignment: Any) -> None:
            super().on_assignment(assignment)
            cls.on_generation_assignment(consumer._coordinator.generation)

    return Sticky


class WithoutTasks:
    """Faust makes four tasks for each message, to see which of them ends first."""

    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:
        """As `mode.Service`'s; what ends without waiting for anything needs no task."""
        slow: Any = super()
        first, *others = coros
        if not inspect.iscoroutine(first) or timeout is not None:
            return await slow.wait_first(*coros, timeout=timeout)
        try:
            awaited = first.send(None)
        except BaseException as end:
            for other in others:
                if inspect.iscoroutine(other):
                    other.close()
            if isinstance(end, StopIteration):
                return WaitResults([first], [end.value], False)
            raise
        return await slow.wait_first(_finished(first, awaited), *others)


class _Consumer(WithoutTasks, driver.Consumer):
    def _new_consumer_thread(self) -> Any:
        return _Member(self, loop=self.loop, beacon=self.beacon)


async def _finished(coroutine: Any, awaited: Any) -> Any:
    return await _begun(coroutine, awaited)


@types.coroutine
def _begun(coroutine: Any, awaited: Any) -> Generator[Any, Any, Any]:
    """The rest of a coroutine that was begun, and awaits this."""
    while True:
        try:
            answer = yield awaited
        except BaseException as fault:
            proceed = functools.partial(coroutine.throw, fault)
        else:
            proceed = functools.partial(coroutine.send, answer)
        try:
            awaited = proceed()
        except StopIteration as done:
            return done.value


async def _living(app: faust.App) -> None:
    await app.start()
    await app.wait_until_stopped()


class _Transport(driver.Transport):
    Consumer = _Consumer


class _Queue(ThrowableQueue[Any]):
    """Full at so many bytes, too."""

    def __init__(self, *given: Any, **more: Any) -> None:
        self._bytes = 0
        super().__init__(*given, **more)

    def full(self) -> bool:
        return self._bytes >= BUFFERED_BYTES or super().full()

    def clear(self) -> None:
        super().clear()
        self._bytes = 0

    def _put(self, item: Any) -> None:
        super()._put(item)
        self._bytes += len(item.message.value or b"")

    def _get(self) -> Any:
        item = super()._get()
        self._bytes -= len(item.message.value or b"")
        return item


class _App(faust.App):
    def FlowControlQueue(self, maxsize: int | None = None, **more: Any) -> _Queue:  # noqa: N802
        return _Queue(maxsize=maxsize, flow_control=self.flow_control, **more)

    def _create_directories(self) -> None:
        """There is nothing that Faust has to keep on a disk."""


class FaustGroup:
    """Feeds `partitions` from a topic, as a member of a group. Runs in a thread of its own.

    `committed(number, next)` has to be told what the drivers committed.
    """

    def __init__(self, clients: Clients, topic: str, group: str) -> None:
        aiokafka_batches.install()
        self._clients = clients
        self._topic = topic
        self._group = group
        self._anew = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unacked: dict[int, deque[tuple[int, EventT[Any]]]] = {}
        self._share = FED
        self._fed: dict[int, tuple[Any, TP]] = {}
        """Partitions that are not fetched, since their drivers have enough."""
        self._gathered: dict[int, list[EventT[Any]]] = {}
        self._gathered_bytes = 0
        self.partitions: Partitions | None = None
        self.joined = threading.Event()
        """Set while this member has an assignment, an empty one included."""

    def committed(self, number: int, next_: int) -> None:
        """What lies below `next_` may be committed for the group; from any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(self._acknowledge, number, next_)

    def run(self, stop: threading.Event) -> None:
        """Until stopped. Raises what ends Faust otherwise."""
        while not stop.is_set():
            self._anew.clear()
            asyncio.run(self._run(stop))

    def begin_again(self) -> None:
        """The topic was made anew: Faust would pass over every offset below the old ones."""
        self._anew.set()

    async def _run(self, stop: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._unacked.clear()
        self._fed.clear()
        app = self._app()
        ending = asyncio.create_task(self._ended(stop, app))
        living = asyncio.create_task(_living(app))
        try:
            await asyncio.wait({ending, living}, return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                living.result()
            if app.crashed and app._crash_reason is not None:
                raise RuntimeError(f"Faust ended: {app._crash_reason!r}") from app._crash_reason
        finally:
            self.joined.clear()
            if self.partitions is not None:
                self.partitions.cast_off()
            ending.cancel()
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(app.stop(), STOPS_WITHIN)
            self._loop = None

    async def _ended(self, stop: threading.Event, app: faust.App) -> None:
        told = 0.0
        while not (stop.is_set() or self._anew.is_set()):
            if time.monotonic() - told >= ENDS_EVERY:
                self._tell_ends(app)
                told = time.monotonic()
            await asyncio.sleep(0.1)

    def _tell_ends(self, app: Any) -> None:
        """Where each partition ends of which more is to come than marks of transactions."""
        assert self.partitions is not None
        consumer = getattr(getattr(app._consumer, "_thread", None), "_consumer", None)
        subscribed = consumer and consumer._subscription.subscription
        if not subscribed or subscribed.assignment is None:
            return
        for where in subscribed.assignment.tps:
            state = subscribed.assignment.state_value(where)
            feed = self.partitions.feed(where.partition)
            if feed is None or state.highwater is None or not state.has_valid_position:
                continue
            # What is fetched may still be on its way to the driver.
            more = state.position < state.highwater or self._unacked.get(where.partition)
            feed.reaches(state.highwater if more else 0)

    def _app(self) -> faust.App:
        settings = self._clients.settings
        session = settings.session_timeout.total_seconds()
        app = _App(
            self._clients.named(self._group),
            broker=[f"aiokafka://{server}" for server in settings.bootstrap],
            broker_client_id=self._clients.name,
            broker_credentials=faust_credentials(settings),
            broker_session_timeout=session,
            broker_heartbeat_interval=heartbeat(settings),
            broker_request_timeout=max(session + 5.0, 15.0),
            broker_commit_interval=1.0,
            broker_max_poll_records=None,
            consumer_auto_offset_reset="earliest",
            consumer_max_fetch_size=1 << 20,
            # How soon partitions that were added, or a topic made anew, are noticed.
            consumer_metadata_max_age_ms=10_000,
            processing_guarantee="at_least_once",
            stream_buffer_maxsize=BUFFERED,
            # What is under way is committed by its driver, or repeated by the next owner.
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            store="memory://",
            autodiscover=False,
            logging_config={"version": 1, "disable_existing_loggers": False},
        )
        app.transport = _Transport(app.conf.broker_consumer[0:1], app)
        topic = app.topic(
            self._clients.named(self._topic),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            allow_empty=True,
        )
        app.agent(topic, name=f"{self._group}.feed")(self._feeding)
        app.on_partitions_assigned.connect(self._assigned)  # type: ignore[arg-type]
        app.on_partitions_revoked.connect(self._revoked)  # type: ignore[arg-type]
        return app

    async def _feeding(self, stream: Any) -> None:
        """Hand over in one go what Faust has buffered, so that a driver wakes once for it."""
        stream = stream.noack()
        buffered = stream.channel.queue
        events: AsyncIterator[EventT[Any]] = stream.events()
        try:
            async for event in events:
                number = event.message.partition
                self._gathered.setdefault(number, []).append(event)
                self._gathered_bytes += len(event.message.value or b"")
                if buffered.empty() or self._gathered_bytes >= TOGETHER:
                    self._hand_over()
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        """Feed the drivers what was gathered."""
        assert self.partitions is not None
        gathered, self._gathered, self._gathered_bytes = self._gathered, {}, 0
        for number, events in gathered.items():
            feed = self.partitions.feed(number)
            if feed is None:
                continue
            self._unacked.setdefault(number, deque()).extend(
                (event.message.offset, event) for event in events
            )
            where = Partition(self._topic, number)
            messages = [event.message for event in events]
            for message in messages:
                if unreadable(message):
                    feed.doubt(message.offset)
            feed.put([_record(where, each) for each in messages if not unreadable(each)])
            if feed.filled(self._share) and number not in self._fed:
                app, full = events[0].app, TP(self._clients.named(self._topic), number)
                self._fed[number] = app, full
                app.consumer.on_buffer_full(full)

    def _acknowledge(self, number: int, next_: int) -> None:
        waiting = self._unacked.get(number)
        while waiting and waiting[0][0] < next_:
            _, event = waiting.popleft()
            event.ack()
        if number in self._fed:
            assert self.partitions is not None
            feed = self.partitions.feed(number)
            if feed is not None and not feed.filled(self._share // 2):
                app, where = self._fed.pop(number)
                app.consumer.on_buffer_drop(where)

    async def _revoked(self, _app: Any, _revoked: Any, **_: Any) -> None:
        """A rebalance begins: Faust lets go of everything, and comes back with most of it."""
        assert self.partitions is not None
        self.partitions.cast_off()

    async def _assigned(self, _app: Any, assigned: Any, **_: Any) -> None:
        """What is raised here Faust swallows; so it only says whose partition is whose."""
        name = self._clients.named(self._topic)
        numbers = {tp.partition for tp in assigned if tp.topic == name}
        logger.info("partitions assigned", extra={"partitions": sorted(numbers)})
        self._hand_over()
        self._unacked.clear()
        self._fed.clear()
        self._share = FED // max(1, len(numbers))
        assert self.partitions is not None
        self.partitions.assign(numbers)
        self.joined.set()


def _record(where: Partition, message: Any) -> Record:
    return Record(
        where,
        message.offset,
        round(message.timestamp * 1000),
        (message.key or b"").decode("utf-8", "replace"),
        message.value or b"",
    )

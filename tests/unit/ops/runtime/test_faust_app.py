"""What stands in for Faust's own way with each message, and must answer as that does."""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP
from mode import Service

from ops.config_kafka import KafkaSettings
from ops.runtime.faust_app import FaustGroup, WithoutTasks
from ops.runtime.threads import Worker
from ops.transport.feed import Feed
from ops.transport.kafka_clients import Clients
from schemas.topics import METRICS


class Slow(Service):
    pass


class Quick(WithoutTasks, Service):
    pass


def both(play: Callable[[Service], Awaitable[Any]]) -> Any:
    """The answer of either, which is one."""

    async def played(kind: type[Service]) -> Any:
        return await play(kind())

    slow, quick = asyncio.run(played(Slow)), asyncio.run(played(Quick))
    assert slow == quick
    return quick


def test_what_ends_at_once_is_the_answer() -> None:
    async def play(service: Service) -> Any:
        async def at_once() -> int:
            return 7

        found = await service.wait_first(at_once(), asyncio.Event().wait())
        return found.results, found.stopped

    assert both(play) == ([7], False)


def test_what_has_to_wait_goes_on_where_it_was() -> None:
    async def play(service: Service) -> Any:
        steps = []

        async def later() -> str:
            for step in range(3):
                steps.append(step)
                await asyncio.sleep(0.001 * step)
            return "late"

        found = await service.wait_first(later(), asyncio.Event().wait())
        return steps, found.results, found.stopped

    assert both(play) == ([0, 1, 2], ["late"], False)


def test_the_other_one_may_be_first_and_ends_it() -> None:
    async def play(service: Service) -> Any:
        ended = []

        async def never() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise

        found = await service.wait_first(never(), asyncio.sleep(0.001, "other"))
        await asyncio.sleep(0.001)
        return ended, found.results

    assert both(play) == (["cancelled"], ["other"])


@pytest.mark.parametrize("wait", [False, True])
def test_what_is_raised_comes_out(wait: bool) -> None:
    async def play(service: Service) -> Any:
        async def fails() -> None:
            if wait:
                await asyncio.sleep(0)
            raise LookupError("no")

        with pytest.raises(LookupError, match="no"):
            await service.wait_first(fails(), asyncio.Event().wait())

    both(play)


def test_what_waits_is_told_of_failures_of_what_it_waits_for() -> None:
    async def play(service: Service) -> Any:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def waits() -> str:
            try:
                await waiting
            except LookupError:
                return "told"
            return "not told"

        asyncio.get_running_loop().call_soon(waiting.set_exception, LookupError())
        return (await service.wait_first(waits(), asyncio.Event().wait())).results

    assert both(play) == ["told"]


class States:
    """What aiokafka knows of its partitions."""

    def __init__(self, **known: tuple[int | None, int | None]) -> None:
        self.known = {TP("t", int(name[1:])): each for name, each in known.items()}
        self.tps = set(self.known)

    def state_value(self, where: TP) -> Any:
        position, end = self.known[where]
        valid = position is not None
        return SimpleNamespace(has_valid_position=valid, position=position, highwater=end)


def test_drivers_are_told_where_a_partition_ends_but_not_of_marks_alone() -> None:
    clients: Any = None
    group = FaustGroup(clients, "t", "g")
    feeds = {number: Feed() for number in range(5)}
    group.partitions = SimpleNamespace(feed=feeds.get)  # type: ignore[assignment]
    on_its_way: Any = (40, None)
    group._unacked = {2: deque([on_its_way])}
    states = States(p0=(10, 42), p1=(42, 42), p2=(42, 42), p3=(None, 42), p4=(0, None), p5=(0, 9))
    subscribed = SimpleNamespace(assignment=states)
    consumer = SimpleNamespace(_subscription=SimpleNamespace(subscription=subscribed))
    group._tell_ends(SimpleNamespace(_consumer=None))
    group._tell_ends(SimpleNamespace(_consumer=SimpleNamespace(_thread=None)))
    thread = SimpleNamespace(_consumer=consumer)
    group._tell_ends(SimpleNamespace(_consumer=SimpleNamespace(_thread=thread)))
    assert [feed.end for feed in feeds.values()] == [42, 0, 42, 0, 0]
    subscribed.assignment = None  # type: ignore[assignment]
    group._tell_ends(SimpleNamespace(_consumer=SimpleNamespace(_thread=thread)))


def test_a_start_leaves_no_directory_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = KafkaSettings.model_validate({"bootstrap": "127.0.0.1:9"})
    app = FaustGroup(Clients(settings, "test"), "t", "g")._app()
    app._create_directories()
    assert not list(tmp_path.iterdir())
    faust.App("plain", broker="kafka://127.0.0.1:9")._create_directories()
    assert [left.name for left in tmp_path.iterdir()] == ["plain-data"]


def test_a_start_that_hangs_is_left_when_it_is_time_to_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, left = threading.Event(), threading.Event()

    async def start(_app: faust.App) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def stop(_app: faust.App) -> None:
        left.set()

    monkeypatch.setattr(faust.App, "start", start)
    monkeypatch.setattr(faust.App, "stop", stop)
    settings = KafkaSettings.model_validate({"bootstrap": "127.0.0.1:9"})
    running = Worker("group", FaustGroup(Clients(settings, "test"), METRICS, "g").run)
    running.start()
    assert begun.wait(10)
    running.ask_to_stop()
    assert running.join(10)
    assert left.is_set()
    assert not running.failure


def test_a_start_that_raises_is_stopped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    left = threading.Event()

    async def start(_app: faust.App) -> None:
        raise OSError("no broker")

    async def stop(_app: faust.App) -> None:
        left.set()

    monkeypatch.setattr(faust.App, "start", start)
    monkeypatch.setattr(faust.App, "stop", stop)
    settings = KafkaSettings.model_validate({"bootstrap": "127.0.0.1:9"})
    group = FaustGroup(Clients(settings, "test"), METRICS, "g")
    with pytest.raises(OSError, match="no broker"):
        group.run(threading.Event())
    assert left.is_set()

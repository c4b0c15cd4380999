"""What stands in for Faust's own way with each message, and must answer as that does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mode import Service

from ops.runtime.faust_app import WithoutTasks


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

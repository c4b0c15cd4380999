"""How long a body is waited for, and what cancels the wait."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from fastapi import HTTPException
from starlette.types import Message, Scope

from ops.api import body
from ops.api.body import received

SCOPE: Scope = {"type": "http", "headers": []}


async def _stalls() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def _pieces(*pieces: bytes) -> Callable[[], Awaitable[Message]]:
    waiting = list(pieces)

    async def receive() -> Message:
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    return receive


def test_a_body_is_all_its_pieces_up_to_the_limit() -> None:
    assert asyncio.run(received(SCOPE, _pieces(b"ab", b"", b"c"), 3)) == b"abc"
    with pytest.raises(HTTPException) as refused:
        asyncio.run(received(SCOPE, _pieces(b"ab", b"cd", b"e"), 3))
    assert refused.value.status_code == 413


def test_a_body_that_does_not_come_in_time_is_408_and_the_task_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body, "READ_TIMEOUT", 0.0)

    async def story() -> None:
        with pytest.raises(HTTPException) as refused:
            await received(SCOPE, _stalls, 3)
        assert refused.value.status_code == 408
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)

    asyncio.run(story())


@pytest.mark.parametrize("timeout", [0.0, 60.0])
def test_who_is_cancelled_meanwhile_stays_so(
    monkeypatch: pytest.MonkeyPatch, timeout: float
) -> None:
    monkeypatch.setattr(body, "READ_TIMEOUT", timeout)

    async def story() -> None:
        reading = asyncio.create_task(received(SCOPE, _stalls, 3))
        await asyncio.sleep(0)
        # In the turn in which the time is over, too, just before.
        asyncio.get_running_loop().call_at(0.0, reading.cancel)
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(story())


def test_a_body_that_came_leaves_no_time_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_TIMEOUT", 0.0)

    async def story() -> None:
        assert await received(SCOPE, _pieces(b"a"), 3) == b"a"
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(story())

import asyncio
import threading
from collections.abc import Callable

from ops.console.look import Eyes
from ops.history.errors import HistoryAway
from ops.services import QueryResult
from tests.support.fake_services import FakeAlert, FakeServices
from tests.support.fleet import fleet


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = 1_750_000_000_000

    def __call__(self) -> int:
        return self.at


def counted(services: FakeServices, calls: list[str]) -> None:
    before: Callable[[str, int | None], QueryResult] = services.answer

    def answer(expr: str, at: int | None) -> QueryResult:
        calls.append(expr)
        return before(expr, at)

    services.answer = answer


def test_many_pages_ask_history_once_in_two_seconds() -> None:
    async def go() -> None:
        services, clock, calls = fleet(), Clock(), list[str]()
        counted(services, calls)
        eyes = Eyes(services, clock)
        await asyncio.gather(*(eyes.look("cpu") for _ in range(10)))
        once = len(calls)
        await eyes.look("cpu")
        assert len(calls) == once
        clock.at += 2_000
        await eyes.look("cpu")
        assert len(calls) == 2 * once

    asyncio.run(go())


def test_while_history_is_away_hosts_are_those_of_before_and_alerts_are_new() -> None:
    def away(expr: str, at: int | None) -> QueryResult:
        raise HistoryAway("restarts")

    async def go() -> None:
        services, clock = fleet(), Clock()
        eyes = Eyes(services, clock)
        before = await eyes.look("cpu")
        services.answer = away
        services.known = [FakeAlert({"alertname": "New"})]
        clock.at += 2_000
        look = await eyes.look("cpu")
        assert look.past.fault == "restarts"
        assert look.past.hosts == before.past.hosts
        assert [row["alert"] for row in look.present.alerts] == ["New"]

    asyncio.run(go())


def test_history_that_hangs_holds_up_no_alert() -> None:
    release = threading.Event()

    def hang(expr: str, at: int | None) -> QueryResult:
        release.wait(30)
        raise HistoryAway("too late")

    async def go() -> None:
        services, clock = fleet(), Clock()
        services.answer = hang
        eyes = Eyes(services, clock, patience=0.01)
        look = await eyes.look("cpu")
        assert (len(look.present.alerts), look.past.fault) == (3, "")
        clock.at += 9_000
        services.known = ()
        look = await eyes.look("cpu")
        assert look.present.alerts == []
        assert look.past.fault == "history does not answer"
        release.set()
        eyes.patience = 10
        assert (await eyes.look("cpu")).past.fault == "too late"

    asyncio.run(go())

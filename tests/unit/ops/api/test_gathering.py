"""Posts that come together go into the log together, and each is answered for itself."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future

import pytest

from notifiers.matcher_mode import Mode
from ops.api import alertmanager_posting, gathering
from ops.api.alertmanager_posting import Posted
from ops.api.alertmanager_refusal import Denied
from ops.api.door import Door
from ops.api.gathering import FULL, Gathering
from schemas.alerts import PostedAlerts
from schemas.errors import LogAway, LogFull
from schemas.pairs import unpacked
from schemas.stage import Message, Partition, Position
from schemas.topics import ALERTS, CODEC
from tests.support.fake_services import NOW, FakeServices


class Log:
    """Commits when it is told to; without room it has none for who does not wait in a thread."""

    def __init__(self) -> None:
        self.begun: list[tuple[list[str], Future[list[Position]]]] = []
        self.room = True
        self.writing = False

    def begin(self, messages: Sequence[Message]) -> Future[list[Position]] | None:
        if not self.room:
            return None
        future: Future[list[Position]] = Future()
        if self.writing:
            future.set_running_or_notify_cancel()
        self.begun.append((_names(messages), future))
        return future

    def names(self) -> list[list[str]]:
        return [names for names, _ in self.begun]

    async def commit(self, number: int = -1) -> None:
        self.begun[number][1].set_result([Position(Partition(ALERTS, 0), len(self.begun), NOW)])
        await _turns()


class Posting:
    """Somebody who posts alerts by name, each in a post of its own."""

    def __init__(self) -> None:
        self.log, self.services = Log(), FakeServices()
        self.gathering = Gathering(Door(self.services), lambda: NOW)

    async def post(self, *names: str, size: int = 100) -> list[asyncio.Task[None]]:
        posts = [
            asyncio.create_task(self.gathering.append(self.log, _levels(name), size))
            for name in names
        ]
        await _turns()
        return posts


def _levels(name: str) -> list[Posted]:
    items = alertmanager_posting.items_of(json.dumps([{"labels": {"n": name}}]).encode())
    return alertmanager_posting.levels_of(items, NOW, Mode.FALLBACK)[0]


def _names(messages: Sequence[Message]) -> list[str]:
    batches = [CODEC.decode(message.value).event for message in messages]
    return [
        unpacked(labels)["n"]
        for batch in batches
        if isinstance(batch, PostedAlerts)
        for labels in batch.labels
    ]


def _breaks(_: Sequence[Message]) -> Future[list[Position]] | None:
    raise LogAway("closed")


async def _turns() -> None:
    """Let what is ready run; nobody waits for time."""
    for _ in range(5):
        await asyncio.sleep(0)


def _run(story: Callable[[Posting], Awaitable[None]]) -> None:
    async def told() -> None:
        await story(Posting())

    asyncio.run(told())


def test_a_lone_post_goes_at_once_and_is_answered_once_it_is_durable() -> None:
    async def story(one: Posting) -> None:
        for name in ("a", "b"):
            (post,) = await one.post(name)
            assert one.log.names()[-1] == [name]
            assert not post.done()
            await one.log.commit()
            await post

    _run(story)


def test_what_comes_while_a_commit_is_under_way_goes_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "PAUSE", 0.0)

    async def story(one: Posting) -> None:
        first, *others = await one.post("a", "b", "c", "d")
        assert one.log.names() == [["a"]]
        await one.log.commit()
        await first
        await _turns()
        assert one.log.names() == [["a"], ["b", "c", "d"]]
        assert not any(post.done() for post in others)
        await one.log.commit()
        await asyncio.gather(*others)

    _run(story)


def test_who_was_just_answered_is_waited_for_where_several_post(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "PAUSE", 60.0)

    async def story(one: Posting) -> None:
        await one.post("a", "b", "c")
        await one.log.commit()
        assert one.log.names() == [["a"]]
        await one.post("a2")
        assert one.log.names() == [["a"], ["b", "c", "a2"]]
        await one.log.commit()
        await one.post("a3", "b2")
        assert len(one.log.names()) == 2
        await one.post("c2")
        assert one.log.names()[2:] == [["a3", "b2", "c2"]]
        await one.log.commit()

    _run(story)


def test_a_full_one_waits_for_nothing() -> None:
    async def story(one: Posting) -> None:
        posts = await one.post("a")
        posts += await one.post("b", size=FULL)
        assert one.log.names() == [["a"], ["b"]]
        await one.log.commit(1)
        assert [post.done() for post in posts] == [False, True]
        await one.log.commit(0)
        await posts[0]

    _run(story)


@pytest.mark.parametrize(
    ("fault", "status"), [(LogAway("gone"), 503), (LogFull("the log is full"), 503)]
)
def test_a_commit_that_failed_is_told_to_all_who_wait_for_it(fault: LogAway, status: int) -> None:
    async def story(one: Posting) -> None:
        posts = await one.post("a")
        one.log.begun[0][1].set_exception(fault)
        await _turns()
        with pytest.raises(Denied, match=str(fault)) as denied:
            await posts[0]
        assert denied.value.status == status
        (again,) = await one.post("b")
        await one.log.commit()
        await again

    _run(story)


def test_a_log_that_does_not_answer_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.01)

    async def story(one: Posting) -> None:
        posts = await one.post("begun", "gathered")
        found = await asyncio.gather(*posts, return_exceptions=True)
        assert [getattr(fault, "status", 0) for fault in found] == [503, 503]
        await _turns()
        assert one.log.begun[0][1].cancelled()
        assert one.log.names() == [["begun"]]

    _run(story)


def test_what_is_being_written_is_answered_once_that_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.01)

    async def story(one: Posting) -> None:
        one.log.writing = True
        writing, gathered = await one.post("a", "b")
        with pytest.raises(Denied, match="no answer within"):
            await gathered
        # To say that it was refused would be wrong as soon as the disk is done.
        assert not writing.done()
        await one.log.commit(0)
        await writing
        assert one.log.names() == [["a"]]

    _run(story)


def test_what_was_written_just_now_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.0)

    async def story(one: Posting) -> None:
        posting = asyncio.create_task(one.gathering.append(one.log, _levels("a"), 100))
        await asyncio.sleep(0)
        # In the turn in which patience ends, just before it: the loop hears of it only afterwards.
        asyncio.get_running_loop().call_at(0.0, one.log.begun[0][1].set_result, [])
        await posting

    _run(story)


def test_where_there_is_no_room_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "AGAIN", 0.0)

    async def story(one: Posting) -> None:
        one.log.room = False
        first, second = await one.post("a", "b", size=FULL)
        await _turns()
        assert one.log.names() == []
        one.log.room = True
        await _turns()
        assert one.log.names() == [["a"], ["b"]]
        assert not first.done()
        await one.log.commit(0)
        await one.log.commit(1)
        await asyncio.gather(first, second)

    _run(story)


def test_a_log_that_fails_while_room_is_waited_for_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "AGAIN", 0.0)

    async def story(one: Posting) -> None:
        one.log.room = False
        (post,) = await one.post("a")
        monkeypatch.setattr(one.log, "begin", _breaks)
        with pytest.raises(Denied, match="closed"):
            await post

    _run(story)


def test_what_was_refused_for_want_of_room_is_not_written_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.05)
    monkeypatch.setattr(gathering, "AGAIN", 0.0)
    monkeypatch.setattr(gathering, "PAUSE", 0.0)

    async def story(one: Posting) -> None:
        one.log.room = False
        posts = await one.post("a", "b", size=FULL)
        posts += await one.post("c")
        for post in posts:
            with pytest.raises(Denied, match="no answer within") as denied:
                await post
            assert denied.value.answer().headers["retry-after"] == "5"
        one.log.room = True
        (after,) = await one.post("d")
        await _turns()
        assert one.log.names() == [["d"]]
        await one.log.commit()
        await after

    _run(story)


def test_who_goes_away_leaves_the_others_their_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PAUSE", 0.0)

    async def story(one: Posting) -> None:
        first, second, third = await one.post("a", "b", "c")
        await one.log.commit()
        await first
        await _turns()
        second.cancel()
        await _turns()
        await one.log.commit()
        await third
        assert second.cancelled()

    _run(story)

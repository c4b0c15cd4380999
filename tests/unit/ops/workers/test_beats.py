"""A worker says how it is now and then, and soon after something has changed."""

from collections.abc import Sequence
from dataclasses import replace

from ops.services import StageStatus
from ops.workers import beats
from ops.workers.beats import Beats
from schemas.plans import Health
from schemas.topics import CODEC
from tests.support.fake_services import NOW, FakeLog
from tests.support.waiting import eventually


def test_a_change_is_told_before_it_is_time_again() -> None:
    log, status = FakeLog(), [StageStatus("router", True, False, "starting", {"lag": 3.0})]

    def told() -> Sequence[Health]:
        return [CODEC.decode(each.value).event for each in log.messages]  # type: ignore[misc]

    mine = Beats(log.publish, "w", lambda: list(status), lambda: NOW, every=3_600.0)
    mine.start()
    try:
        eventually(lambda: len(told()) == 1, 10)
        status[0] = replace(status[0], figures={"lag": 2.0})  # no news
        status[0] = replace(status[0], ready=True)
        eventually(lambda: len(told()) == 2, 10)
        status[0] = replace(status[0], figures={"plan": 2.0})
        eventually(lambda: len(told()) == 3, 10)
    finally:
        mine.stop(10)
    assert [each.figures.get("ready") for each in told()] == [0, 1, 1, 0]
    assert "ended" in told()[-1].figures
    assert beats.LOOK_EVERY < beats.EVERY

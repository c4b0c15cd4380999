"""From what workers said to how they and their stages are: pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ops.cluster.facts import Heard
from ops.services import StageStatus

SILENT: Final = 30_000
"""Milliseconds after which a worker that says nothing counts as gone; it speaks every 10 s."""
FORGOTTEN: Final = 60_000
MOST_STAGES: Final = 24
"""Whoever may write to the health topic may invent stages."""
_MOST_LAG: Final = 2.0**53
"""The sum of what others may have invented has to be a number."""
VITAL: Final = ("detector", "router", "courier")
"""Without one of these nobody is paged."""


class State(StrEnum):
    """A worker in a word."""

    FINE = "fine"
    STARTING = "starting"
    ILL = "unhealthy"
    GONE = "gone"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Worker:
    """One stage of one worker; `age` is how long ago it spoke (ms)."""

    name: str
    stage: str
    state: State
    age: int
    ready: bool
    vital: bool
    message: str
    figures: dict[str, float]

    @property
    def partitions(self) -> tuple[int, ...]:
        """What it says that it owns."""
        named = (name.partition(":") for name in self.figures)
        return tuple(
            sorted(int(rest) for kind, _, rest in named if kind == "lag" and rest.isdecimal())
        )


def workers(heard: Iterable[Heard], now: int) -> list[Worker]:
    """Every worker heard of within a minute before `now` (ms), by stage and name."""
    found = [_worker(each, now) for each in heard if now - each.at <= FORGOTTEN]
    return sorted(found, key=lambda worker: (worker.stage, worker.name))


def stages(found: Sequence[Worker], known: Iterable[str] = ()) -> list[StageStatus]:
    """Each stage in one status: those that are vital, those `known` to be used, those heard of.

    The console is ready whatever they are, so a stage that does not work is unhealthy, not
    unready. Where others of its stage go on, a worker that is gone is no catastrophe.
    """
    names = dict.fromkeys([*VITAL, *known, *(worker.stage for worker in found)])
    return [
        stage_of(name, [each for each in found if each.stage == name])
        for name in list(names)[:MOST_STAGES]
    ]


def stage_of(name: str, found: Sequence[Worker]) -> StageStatus:
    """One stage, of its workers."""
    alive = [each for each in found if each.state not in {State.GONE, State.ENDED}]
    ill = [each for each in alive if each.state is State.ILL]
    gone = [each for each in found if each.state is State.GONE]
    slow = [each for each in alive if each.state is State.STARTING]
    lags = [each.figures["lag"] for each in alive if "lag" in each.figures]
    figures = {"workers": float(len(alive)), **({"lag": min(sum(lags), _MOST_LAG)} if lags else {})}
    vital = name in VITAL
    if not alive:
        message = "no worker runs" if not gone else f"no worker runs: {_told(gone, found)}"
        return StageStatus(name, False, True, message, figures, vital)
    if ill:
        vital = vital and any(each.vital for each in ill)
        return StageStatus(name, False, True, _told(ill, found), figures, vital)
    if gone:
        return StageStatus(name, False, True, _told(gone, found), figures, vital=False)
    if slow:
        return StageStatus(name, True, False, _told(slow, found), figures, vital=False)
    return StageStatus(name, True, True, "", figures, vital)


def _worker(heard: Heard, now: int) -> Worker:
    said = heard.said
    figures = dict(said.figures)
    ready, vital = bool(figures.pop("ready", 1.0)), bool(figures.pop("vital", 1.0))
    ended = bool(figures.pop("ended", 0.0))
    age = max(0, now - heard.at)
    if ended:
        state = State.ENDED
    elif age > SILENT:
        state = State.GONE
    elif not said.healthy:
        state = State.ILL
    else:
        state = State.FINE if ready else State.STARTING
    return Worker(
        said.worker, said.stage, state, age, ready and not ended, vital, said.message, figures
    )


def _told(some: Sequence[Worker], found: Sequence[Worker]) -> str:
    """Who it is, and why, of how many."""
    first = some[0]
    what = f"{first.name} is {first.state}" + (f" ({first.message})" if first.message else "")
    more = f" and {len(some) - 1} more" if len(some) > 1 else ""
    return f"{what}{more}, of {len(found)} workers" if len(found) > 1 else f"{what}{more}"

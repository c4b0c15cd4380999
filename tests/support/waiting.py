"""Waiting for what other processes do: look again until it is so, or say what was not."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_EVERY = 0.05


class NeverCame(AssertionError):
    """What was waited for did not come in time."""


def eventually(
    condition: Callable[[], T], within: float = 60.0, what: str | Callable[[], object] = ""
) -> T:
    """The condition's first true answer.

    An AssertionError of the condition counts as "not yet"; the last one is told in the end.
    `what` says what was waited for, or looks it up once it did not come.
    """
    ends = time.monotonic() + within
    while True:
        fault: AssertionError | None = None
        try:
            if found := condition():
                return found
        except AssertionError as not_yet:
            fault = not_yet
        if time.monotonic() >= ends:
            told = what() if callable(what) else what
            why = f": {fault}" if fault else ""
            raise NeverCame(f"not within {within:g} s: {told or condition}{why}") from fault
        time.sleep(LOOK_EVERY)

"""Waiting for what other processes do: look again until it is so, or say what was not."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_EVERY = 0.05
MOST_PATIENT = 4.0


class NeverCame(AssertionError):
    """What was waited for did not come in time."""


def patience() -> float:
    """How many times longer than on a quiet machine one may have to wait: 1 to 4, by its load."""
    return min(MOST_PATIENT, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def eventually(
    condition: Callable[[], T], within: float = 60.0, what: str | Callable[[], object] = ""
) -> T:
    """The condition's first true answer; `within` is in s of a machine that is not busy.

    An AssertionError of the condition counts as "not yet"; the last one is told in the end.
    `what` says what was waited for, or looks it up once it did not come.
    """
    began = time.monotonic()
    while True:
        fault: AssertionError | None = None
        try:
            if found := condition():
                return found
        except AssertionError as not_yet:
            fault = not_yet
        waited = time.monotonic() - began
        if waited >= within and waited >= within * patience():
            told = what() if callable(what) else what
            why = f": {fault}" if fault else ""
            raise NeverCame(f"not within {waited:.3g} s: {told or condition}{why}") from fault
        time.sleep(LOOK_EVERY)

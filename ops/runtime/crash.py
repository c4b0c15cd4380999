"""Crash points: where a test can kill the process, named in CRASH_AT as `point` or `point:n`."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping

Crash = Callable[[str], None]


def crash_from(environment: Mapping[str, str]) -> Crash:
    """Kills this process with SIGKILL at the n-th passing of the point that CRASH_AT names."""
    wanted, _, count = environment.get("CRASH_AT", "").partition(":")
    passes: Counter[str] = Counter()
    if not wanted:
        return lambda _point: None

    def crash(point: str) -> None:
        passes[point] += 1
        if point == wanted and passes[point] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)

    return crash

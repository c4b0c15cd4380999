"""Where a test can kill or stop the process, named in CRASH_AT as `POINT[:N][:stop]`."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping

Crash = Callable[[str], None]


def crash_from(environment: Mapping[str, str]) -> Crash:
    """Kills this process at the N-th passing of the point that CRASH_AT names.

    With `:stop` it sends SIGSTOP instead: whoever continues it later has a zombie.
    """
    wanted, *more = environment.get("CRASH_AT", "").split(":")
    number = next((int(each) for each in more if each.isdigit()), 1)
    blow = signal.SIGSTOP if "stop" in more else signal.SIGKILL
    passes: Counter[str] = Counter()
    if not wanted:
        return lambda _point: None

    def crash(point: str) -> None:
        passes[point] += 1
        if point == wanted and passes[point] == number:
            os.kill(os.getpid(), blow)

    return crash

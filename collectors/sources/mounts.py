"""Sizes of mounted filesystems, none of which can make the reading wait for ever."""

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from collectors.sources.host import Mount, Sizes

PATIENCE = 1.0
"""Seconds that one filesystem is given: a live one answers in microseconds."""
BUDGET = 3.0
"""Seconds for all of them together."""

Answer = tuple[int, Sizes | None]


def statvfs(mountpoint: str) -> Sizes:
    """The sizes, by the machine."""
    found = os.statvfs(mountpoint)
    return Sizes(
        size=found.f_blocks * found.f_frsize,
        free=found.f_bfree * found.f_frsize,
        avail=found.f_bavail * found.f_frsize,
        files=found.f_files,
        files_free=found.f_ffree,
    )


class MountSizes:
    """Asks each filesystem for its sizes on a thread of its own.

    statvfs on a dead network mount does not return. Such a mount is *stuck*: it is reported
    without sizes and not asked again until its thread comes back.
    """

    def __init__(self, ask: Callable[[str], Sizes] = statvfs, patience: float = PATIENCE) -> None:
        self._ask = ask
        self._patience = patience
        self._stuck: dict[str, threading.Thread] = {}

    def measure(self, mounts: Sequence[Mount]) -> tuple[Mount, ...]:
        """The same mounts with their sizes, where they answered."""
        self._stuck = {where: who for where, who in self._stuck.items() if who.is_alive()}
        found: list[Mount] = list(mounts)
        waiting = [i for i, mount in enumerate(mounts) if mount.mountpoint not in self._stuck]
        until = time.monotonic() + BUDGET
        while waiting and time.monotonic() < until:
            answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
            given_up = threading.Event()
            asked = [(i, mounts[i].mountpoint) for i in waiting]
            thread = threading.Thread(
                target=self._ask_all, args=(asked, answers, given_up), daemon=True
            )
            thread.start()
            while waiting:
                try:
                    i, sizes = answers.get(timeout=self._patience)
                except queue.Empty:
                    given_up.set()
                    self._stuck[mounts[waiting.pop(0)].mountpoint] = thread
                    break
                waiting.remove(i)
                found[i] = replace(mounts[i], sizes=sizes)
        return tuple(found)

    def _ask_all(
        self,
        asked: Sequence[tuple[int, str]],
        answers: "queue.SimpleQueue[Answer]",
        given_up: threading.Event,
    ) -> None:
        for i, mountpoint in asked:
            if given_up.is_set():
                return
            try:
                answers.put((i, self._ask(mountpoint)))
            except OSError:
                answers.put((i, None))

"""Every runtime, in the shape that the laws drive; a new one joins `RUNTIMES`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ops.runtime.driver import Driver
from ops.transport.sqlite_log import SqliteLog
from schemas.stage import Message, Partition, Stage
from schemas.topics import METRICS
from tests.support.at_least_once import AtLeastOnce
from tests.support.build import T0
from tests.support.crashing import Crashed, Crasher


class Runtime(Protocol):
    """A stage on every partition of its topic, driven until it has read everything."""

    def publish(self, messages: Sequence[Message], now: int) -> None: ...
    def settle(self) -> None: ...
    def restart(self) -> None: ...
    def crash_after(self, boundaries: int) -> None: ...
    def read(self, topic: str) -> list[bytes]: ...
    def close(self) -> None: ...


class Embedded:
    """The embedded driver; a crash throws it away with all that it did not commit."""

    def __init__(self, directory: Path, make: Callable[[], Stage], partitions: int) -> None:
        self._now = T0
        self._make = make
        self._partitions = partitions
        self._log = SqliteLog(directory / "log", lambda: self._now, {METRICS: partitions})
        self._crasher = Crasher()
        self._drivers: list[Driver] = []
        self.restart()

    def publish(self, messages: Sequence[Message], now: int) -> None:
        self._now = max(self._now, now)
        self._log.publish(messages)

    def settle(self) -> None:
        while True:
            try:
                while sum(driver.turn() for driver in self._drivers):
                    pass
                return
            except Crashed:
                self.restart()

    def restart(self) -> None:
        for driver in self._drivers:
            driver.close()
        self._drivers = [
            Driver(self._log, self._make, number, self._crasher, commit_within=0.0)
            for number in range(self._partitions)
        ]

    def crash_after(self, boundaries: int) -> None:
        self._crasher.left = boundaries

    def read(self, topic: str) -> list[bytes]:
        reader = self._log.reader()
        records, _ = reader.read(Partition(topic, 0), 0, 1_000_000, 1 << 40)
        reader.close()
        return [record.value for record in records]

    def close(self) -> None:
        for driver in self._drivers:
            driver.close()
        self._log.close()


Make = Callable[[Path, Callable[[], Stage], int], Runtime]
RUNTIMES: list[Make] = [Embedded, AtLeastOnce]

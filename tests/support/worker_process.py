"""A worker with a part that does as it is told, as a process: `python -m ... KIND DATA`."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ops import logs
from ops.services import StageStatus
from ops.settings import Settings
from ops.workers import worker
from schemas.errors import Refused


class FakePart:
    """Ready at once. `hangs` does not end, `breaks` says so after its start."""

    name = "fake"

    def __init__(self, kind: str = "well") -> None:
        if kind == "refuses":
            raise Refused("fake.setting: is wrong: mend it")
        self.kind = kind
        self.broken = ""
        self.started = threading.Event()
        self.asked = threading.Event()
        self.reloads = 0

    def start(self) -> None:
        self.started.set()
        if self.kind == "breaks":
            self.broken = "no idea: read the log"

    def ask_to_stop(self) -> None:
        self.asked.set()
        if self.kind == "hangs":
            print("asked to stop", flush=True)

    def join(self, timeout: float) -> bool:
        if self.kind == "hangs":
            threading.Event().wait(timeout)
            return False
        return self.asked.is_set()

    def status(self) -> Sequence[StageStatus]:
        return [StageStatus("fake", True, True, "", {"lag:0": 2.0, "lag:1": 3.0, "lag": 5.0})]

    def reload(self) -> None:
        self.reloads += 1
        print(f"reload {self.reloads}", flush=True)


def main(kind: str, data: str, within: str) -> int:
    """Until a signal."""
    logs.configure()
    worker.STOP_WITHIN = float(within)  # type: ignore[misc]  # a test waits less long
    worker.LOOK_EVERY = 0.05  # type: ignore[misc]
    settings = Settings(data=Path(data))
    return worker.run(settings, "fake", lambda _shared: FakePart(kind), None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

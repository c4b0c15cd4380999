"""A broker, topics behind a prefix of their own, and workers as processes; all end with the block.

CPU is that of a worker's process alone: the broker's and the publisher's are not in it.
"""

import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import cpu_of
from ops import endpoint
from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker, fetch, missing
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topics import create

ROOT = Path(__file__).parents[2]
LIBS = ROOT / ".kafka" / "libs"
PATIENCE = 120.0
_numbers = itertools.count(1)


class CannotRun(Exception):
    """There is no broker to be had here."""


@contextmanager
def broker() -> Iterator[Broker]:
    """One broker of the benchmark's own. Raises `CannotRun` without Java or Maven."""
    if why := missing():
        raise CannotRun(why)
    fetch(LIBS)
    with TemporaryDirectory(dir=".") as directory:
        made = Broker(Path(directory), LIBS)
        made.start()
        try:
            yield made
        finally:
            made.kill()


class Worker:
    """`tocsin STAGE` as a process."""

    def __init__(self, home: Path, stage: str, number: int) -> None:
        self.stage = stage
        self.data = home / f"{stage}-{number}"
        self._said = home / f"{stage}-{number}.err"
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [
            *(sys.executable, "-m", "ops", stage, "--config", str(home / "tocsin.yaml")),
            *("--data", str(self.data)),
        ]

    def start(self) -> "Worker":
        """Begin; returns at once."""
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        return self

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    @property
    def cpu(self) -> float:
        """CPU seconds so far."""
        return cpu_of(self.pid)

    def health(self) -> dict[str, Any]:
        """Its stage as `/health` tells it; empty while it does not answer."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.stage} ended: {self._said.read_text()[-2_000:]}")
        note = endpoint.read(self.data, endpoint.worker_file(self.stage))
        if note is None or note.pid != self.pid:
            return {}
        try:
            with urllib.request.urlopen(f"http://{note.address}/health", timeout=5) as answer:
                told = json.load(answer)["stages"]
        except OSError:
            return {}
        return next((stage for stage in told if stage["name"] == self.stage), {})

    def figure(self, name: str) -> float:
        """One figure of its status; NaN where it tells none."""
        return float(self.health().get("figures", {}).get(name, float("nan")))

    def has_read(self, end: int) -> bool:
        """Whether all that was appended up to `end` (ms) is read.

        The watermark is that of its slowest partition. Marks of transactions count as lag.
        """
        told = self.health().get("figures", {})
        marks = 4 * told.get("partitions", 0)
        return told.get("watermark", 0.0) * 1000 >= end and told.get("lag", 0.0) <= marks

    @property
    def ready(self) -> bool:
        """Whether it has recovered and read to the end."""
        return bool(self.health().get("ready"))

    def last_words(self) -> str:
        """What it says of itself, and its log's end."""
        return f"{self.stage}: {self.health()}\n{self._said.read_text()[-2_000:]}"

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End it in good order, else by force."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Place:
    """Topics of one benchmark on the broker, a configuration file, and the workers over them."""

    def __init__(self, made: Broker, home: Path, partitions: int, **more: Any) -> None:
        self.home = home
        self.kafka = KafkaSettings.model_validate(
            {
                "bootstrap": made.address,
                "prefix": f"b{os.getpid()}-{next(_numbers)}.",
                "partitions": partitions,
            }
        )
        self.clients = Clients(self.kafka, "bench")
        self.workers: list[Worker] = []
        self._settings: dict[str, Any] = {
            "kafka": {
                "bootstrap": made.address,
                "prefix": self.kafka.prefix,
                "partitions": partitions,
            },
            **more,
        }

    def worker(self, stage: str) -> Worker:
        """Start one more."""
        worker = Worker(self.home, stage, len(self.workers))
        self.workers.append(worker)
        return worker.start()

    def tocsin(self, *arguments: str) -> None:
        """A command that ends by itself."""
        command = [sys.executable, "-m", "ops", *arguments]
        config = ("--config", str(self.home / "tocsin.yaml"))
        subprocess.run([*command, *config], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """End every worker at once: nobody comes after it."""
        while self.workers:
            self.workers.pop().kill()

    def configure(self, **more: Any) -> None:
        """Write the file that workers read when they start."""
        self._settings |= more
        (self.home / "tocsin.yaml").write_text(json.dumps(self._settings))


@contextmanager
def place(made: Broker, partitions: int = 1, **more: Any) -> Iterator[Place]:
    """A place of its own; `more` goes into the configuration."""
    with TemporaryDirectory(dir=".") as directory:
        found = Place(made, Path(directory).absolute(), partitions, **more)
        create(found.clients)
        found.configure()
        try:
            yield found
        except RuntimeError:
            print(*(worker.last_words() for worker in found.workers), sep="\n", file=sys.stderr)
            raise
        finally:
            found.stop()


def wait(until: Callable[[], bool], what: str, within: float = PATIENCE) -> float:
    """Wait until it is so; the seconds that it took."""
    began = time.monotonic()
    while not until():
        if time.monotonic() - began > within:
            raise RuntimeError(f"{what}: not within {within:g} s")
        time.sleep(0.1)
    return time.monotonic() - began

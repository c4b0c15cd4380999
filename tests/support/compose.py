"""`docker compose up --wait` and `stop` with processes in place of containers.

Kafka is a native broker with the properties file of its service, ClickHouse the history child,
which speaks ClickHouse's HTTP interface. Everything else is the declared command.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from ops.deploy.kafka.broker import Broker
from ops.history.child import HistoryChild
from tests.support.compose_file import Container, Project
from tests.support.compose_servers import broker_of, history_of
from tests.support.tocsin_process import ROOT
from tests.support.waiting import eventually

HEALTHY_WITHIN = 90.0
DONE_WITHIN = 60.0


class Compose:
    """The project, up and down; `libs` are Kafka's jars.

    `images` has the `tocsin` of an image by its name; without it, this checkout's.
    """

    def __init__(
        self, home: Path, libs: Path, images: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.project = Project(home)
        self._images = images or {}
        self._libs = libs
        self._running: list[tuple[Container, subprocess.Popen[bytes]]] = []
        self.broker: Broker | None = None
        self.history: HistoryChild | None = None
        self.order: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _container, process in self._running:
            process.kill()
            process.wait()
        if self.history is not None:
            self.history.stop()
        if self.broker is not None:
            self.broker.kill()

    @property
    def url(self) -> str:
        """Where the console's port is published."""
        return f"http://127.0.0.1:{self.project.ports['console']}"

    def make_secrets(self) -> None:
        """What comes before the first start."""
        subprocess.run(["sh", self.project.secrets_script], check=True, capture_output=True)

    def up(self, *profiles: str) -> None:
        """Start everything in its order, each once what it waits for is well or done."""
        for name in self.project.order(*profiles):
            self.order.append(name)
            match name:
                case "kafka":
                    container = self.project.container("kafka")
                    self.broker = broker_of(self.project, container, self._libs)
                    self.broker.start()
                    self.healthy(container)
                case "clickhouse":
                    self.history = history_of(self.project)
                    self.healthy(self.project.container("clickhouse"))
                case "mailpit":
                    pass  # it is not to be had here, and nothing depends on it
                case _:
                    self._service(name)
        for container, _ in self._running:
            self.healthy(container)

    def running(self, name: str) -> list[Container]:
        """The containers of a service."""
        return [each for each, _ in self._running if each.name.rpartition("-")[0] == name]

    def scale(self, name: str, count: int) -> None:
        """More containers of a service, well when this returns."""
        for number in range(len(self.running(name)) + 1, count + 1):
            container = self.project.container(name, number)
            self._running.append((container, self._started(container)))
            self.healthy(container)

    def exec(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """`docker compose exec SERVICE tocsin COMMAND`."""
        (container, *_) = self.running(name) or self.project.containers(name)
        directory = container.path("/var/lib/tocsin")
        directory.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            [*self._entry_point(container), *(self.project.here(container, c) for c in command)],
            cwd=directory,
            env=self._environment(container),
            capture_output=True,
            text=True,
            check=False,
            timeout=DONE_WITHIN,
        )

    def stop(self) -> dict[str, tuple[int, float]]:
        """SIGTERM, dependents first; of each container its exit code and how long it took."""
        ended = {}
        for container, process in reversed(self._running):
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            grace = float(container.service["stop_grace_period"].removesuffix("s"))
            try:
                code = process.wait(grace)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            ended[container.name] = code, time.monotonic() - began
        self._running.clear()
        return ended

    def healthy(self, container: Container) -> None:
        """Wait until the declared health check says so."""
        check = self.project.health_check(container)
        if not check:
            return
        if check[0] == "tocsin":
            check = [*self._entry_point(container), *check[1:]]
        timeout = float(container.service["healthcheck"]["timeout"].removesuffix("s"))

        def well() -> bool:
            self._still_running(container)
            ran = subprocess.run(
                check,
                env=self._environment(container),
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout,
            )
            assert ran.returncode == 0, (ran.returncode, ran.stdout, ran.stderr)
            return True

        eventually(well, HEALTHY_WITHIN, lambda: self.said(container))

    def said(self, container: Container) -> str:
        """The end of what a container wrote."""
        file = container.root / "log"
        lines = file.read_text("utf-8", "replace").splitlines() if file.exists() else []
        return "\n".join([f"{container.name}:", *lines[-30:]])

    def _service(self, name: str) -> None:
        once = self.project.services[name]["restart"] == "no"
        for container in self.project.containers(name):
            process = self._started(container)
            if once:
                code = process.wait(DONE_WITHIN)
                assert code == 0, (code, self.said(container))
            else:
                self._running.append((container, process))

    def _started(self, container: Container) -> subprocess.Popen[bytes]:
        directory = container.path("/var/lib/tocsin")
        directory.mkdir(parents=True, exist_ok=True)
        with (container.root / "log").open("ab") as log:
            return subprocess.Popen(
                [*self._entry_point(container), *self.project.command(container)],
                cwd=directory,
                env=self._environment(container),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _entry_point(self, container: Container) -> Sequence[str]:
        return self._images.get(container.service["image"]) or [sys.executable, "-m", "ops"]

    def _environment(self, container: Container) -> dict[str, str]:
        image = container.service["image"] in self._images
        return self.project.environment(container) | ({} if image else {"PYTHONPATH": str(ROOT)})

    def _still_running(self, container: Container) -> None:
        for running, process in self._running:
            if running is container and process.poll() is not None:
                raise RuntimeError(f"ended with {process.returncode}\n{self.said(container)}")

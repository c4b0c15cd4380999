"""Who is measured: Alertmanager as built or as packaged, and Tocsin; each a process on loopback."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import cpu_of, rss_of
from benchmarks.running import children_of

PEERS = Path(__file__).parents[2] / ".peers"
TOCSIN = "Tocsin"
PROGRAM = "alertmanager"


@dataclass(frozen=True, slots=True)
class Running:
    """A process that serves Alertmanager's API at `port`; what it takes, its children included."""

    name: str
    pid: int
    port: int

    def cpu(self) -> float:
        """CPU seconds so far, user and system."""
        return sum(cpu_of(pid) for pid in self._tree())

    def rss(self) -> float:
        """Resident MiB."""
        return sum(rss_of(pid) for pid in self._tree())

    def settled(self, longest: float = 20.0) -> float:
        """CPU seconds once it has nothing to do any more: less than 3 % of a core for 0.6 s."""
        ends, last = time.monotonic() + longest, self.cpu()
        while time.monotonic() < ends:
            time.sleep(0.6)
            now = self.cpu()
            if now - last < 0.02:
                return now
            last = now
        raise RuntimeError(f"{self.name} is not done after {longest:g} s")

    def _tree(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            found += children_of(pid)
        return found


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name, and the command for a routing file, a data directory and a port (0: its choice)."""

    name: str
    command: Callable[[Path, Path, int], list[str]]

    @contextmanager
    def serving(self, routes: str) -> Iterator[Running]:
        """Started with these routes, until the end of the block."""
        with TemporaryDirectory(dir=".", prefix="bench-notify-") as directory:
            file = Path(directory) / "routes.yml"
            file.write_text(routes)
            port = 0 if self.name == TOCSIN else _free_port()
            command = self.command(file, Path(directory) / "data", port)
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            try:
                port = port or _port_said(process)
                assert process.stderr is not None
                threading.Thread(target=process.stderr.read, daemon=True).start()
                running = Running(self.name, process.pid, port)
                _wait_ready(running, process)
                running.settled()
                yield running
            finally:
                process.terminate()
                process.wait(20)


def contestants() -> tuple[list[Contestant], list[str]]:
    """Those that are here, Tocsin last, and what is said of those that are not."""
    found, missing = [], []
    for name, program, how in (
        ("Alertmanager 0.34", _built(), "`make peers` builds it"),
        ("Debian's 0.25", _packaged(), "`apt-get install prometheus-alertmanager`"),
    ):
        if program is None:
            missing.append(f"{name} is not here: {how}")
        else:
            found.append(Contestant(name, _alertmanager(program)))
    return [*found, Contestant(TOCSIN, _tocsin)], missing


def _built() -> str | None:
    named = os.environ.get("ALERTMANAGER") or str(PEERS / PROGRAM)
    return shutil.which(named)


def _packaged() -> str | None:
    """Debian's program, where it is installed: it reads templates from below /usr/share."""
    return shutil.which("prometheus-alertmanager")


def _alertmanager(program: str) -> Callable[[Path, Path, int], list[str]]:
    def command(routes: Path, data: Path, port: int) -> list[str]:
        return [
            *(program, f"--config.file={routes}", f"--storage.path={data}"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="),
            "--log.level=error",
        ]

    return command


def _tocsin(routes: Path, data: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "ops", "up", "--only", "router,courier,console"),
        *("--routes", str(routes), "--listen", f"127.0.0.1:{port}", "--data", str(data)),
    ]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _port_said(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("Listening on address="):
            return int(line.strip().rpartition(":")[2])
    raise RuntimeError(f"tocsin up did not serve: {''.join(said[-5:])}")


def _wait_ready(running: Running, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/-/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{running.name} ended, or is not ready after 30 s")

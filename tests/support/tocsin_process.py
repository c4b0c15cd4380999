"""`tocsin up` and `tocsin agent` as processes of their own: started, asked, ended, killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
START_WITHIN = 60.0
END_WITHIN = 30.0


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would change the settings of another."""
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith("TOCSIN__")}
    kept.pop("CRASH_AT", None)
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | more


def run(*arguments: str, cwd: Path, within: float = 60.0) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


class Command:
    """One command, started and started again; what it says is kept in a file."""

    def __init__(self, home: Path, *arguments: str, name: str = "tocsin") -> None:
        self.home = home
        self.arguments = list(arguments)
        self._said = home / f"{name}.err"
        self._process: subprocess.Popen[bytes] | None = None
        self._from = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.kill()

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """What it wrote to standard error since it was last started."""
        with self._said.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")

    def begin(self, crash_at: str = "") -> None:
        """Start; returns at once."""
        assert not self.running
        more = {"CRASH_AT": crash_at} if crash_at else {}
        with self._said.open("ab") as output:
            self._from = output.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ops", *self.arguments],
                cwd=self.home,
                env=environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(END_WITHIN)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, within: float = END_WITHIN) -> int:
        """Wait for its end: the exit code, or minus the signal that killed it."""
        assert self._process is not None
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {within:g} s\n{self.tail()}") from None

    def stop(self) -> int:
        """SIGTERM, then its exit code."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def tail(self) -> str:
        """Its last words, for a test that failed."""
        return "\n".join(self.said.splitlines()[-40:])


class Tocsin(Command):
    """`tocsin up` on a data directory of its own; it keeps its port from start to start."""

    def __init__(
        self,
        home: Path,
        *,
        rules: str = "",
        routes: str = "",
        config: Mapping[str, Any] | None = None,
        only: Sequence[str] = (),
        name: str = "tocsin",
    ) -> None:
        home.mkdir(exist_ok=True)
        settings = {"data": "data", **(config or {})}
        if rules:
            self.rules = home / "rules.yml"
            self.rules.write_text(rules)
            settings["rules"] = ["rules.yml"]
        if routes:
            self.routes = home / "routes.yml"
            self.routes.write_text(routes)
            settings["routes"] = "routes.yml"
        (home / "tocsin.yaml").write_text(json.dumps(settings))
        given = ["--only", ",".join(only)] if only else []
        super().__init__(home, "up", "--config", "tocsin.yaml", *given, name=name)
        self.data = home / str(settings["data"])
        self.address = "127.0.0.1:0"
        self._client = httpx.Client(trust_env=False, timeout=30.0)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._client.close()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    @property
    def token_file(self) -> Path:
        """Where the token of agents is."""
        return self.data / "agent.token"

    def start(self, crash_at: str = "") -> Self:
        """Start, and wait until it serves."""
        given = self.arguments
        self.arguments = [*given, "--listen", self.address]
        self.begin(crash_at)
        self.arguments = given
        self.address = eventually(self._listening, START_WITHIN, self.tail)
        return self

    def get(self, path: str, **query: str) -> httpx.Response:
        """An answer of its server."""
        return self._client.get(self.url + path, params=query)

    def json(self, path: str, **query: str) -> Any:
        """The JSON of a good answer."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def health(self) -> dict[str, Any]:
        """What `/health` says, whatever its status; the stages by name."""
        try:
            told = self.get("/health").json()
        except httpx.HTTPError as fault:
            raise AssertionError(str(fault)) from fault
        return {"status": told["status"]} | {stage["name"]: stage for stage in told["stages"]}

    def ready(self) -> Self:
        """Wait until every stage has read to the end."""

        def whole() -> bool:
            health = self.health()
            return all(stage["ready"] for name, stage in health.items() if name != "status")

        eventually(whole, START_WITHIN, lambda: f"{self.health()}\n{self.tail()}")
        return self

    def figure(self, name: str, **labels: str) -> float:
        """The sum of a figure's values over what has these labels; 0 when there is none."""
        total = 0.0
        for line in self.get("/metrics").text.splitlines():
            named, _, value = line.rpartition(" ")
            if named.partition("{")[0] != name:
                continue
            if all(f'{key}="{wanted}"' in named for key, wanted in labels.items()):
                total += float(value)
        return total

    def children(self) -> list[psutil.Process]:
        """Its child processes: the history's."""
        return psutil.Process(self.pid).children(recursive=True)

    def _listening(self) -> str:
        for line in self.said.splitlines():
            if line.startswith("Listening on address="):
                return line.partition("=")[2]
        if not self.running:
            raise RuntimeError(f"ended with {self.ended()} before it served\n{self.tail()}")
        return ""


def gone(process: psutil.Process) -> bool:
    """Whether a process that may have no parent any more has ended."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wall() -> int:
    """The machine's clock, in ms."""
    return time.time_ns() // 1_000_000

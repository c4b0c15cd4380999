"""The parent's side of the history child: starts it, keeps it running, hands out its address."""

import contextlib
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from ops.history.address import Address

log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.2
_STEADY_SECONDS = 30.0
"""A child that ran this long was well: its end starts the back-off anew."""
_READY = "Listening on address="


class HistoryChild:
    """ClickHouse's engine in a process of its own, over one directory.

    The port and both tokens are kept in the directory, so an address stays true over restarts.
    """

    def __init__(self, directory: Path, port: int = 0, longest_pause: float = 5.0) -> None:
        self._directory = directory
        self._port = port
        self._longest_pause = longest_pause
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._guard = threading.Lock()
        self.restarts = 0
        self.fault = ""
        """What the child said last, where it did not come up."""

    @property
    def pid(self) -> int | None:
        """The running child's process, None while there is none."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    @property
    def address(self) -> Address:
        """Where the owner asks; known once the child was ready."""
        return self._address("default", "token")

    @property
    def analyst(self) -> Address:
        """Where people ask, who only read."""
        return self._address("analyst", "analyst.token")

    def _address(self, user: str, token_file: str) -> Address:
        port = int((self._directory / "port").read_text())
        return Address("127.0.0.1", port, user, (self._directory / token_file).read_text().strip())

    def start(self) -> None:
        """Begin; returns at once."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("token", "analyst.token"):
            _keep_token(self._directory / name)
        self._thread = threading.Thread(target=self._supervise, name="history", daemon=True)
        self._thread.start()

    def wait_ready(self, timeout: float) -> bool:
        """True as soon as the child answers, False when it does not within `timeout` seconds."""
        return self._ready.wait(timeout)

    def stop(self, timeout: float = 10.0) -> None:
        """End the child: ask by closing its pipe, insist after `timeout` seconds."""
        with self._guard:
            self._stopping.set()
            process = self._process
        if process is not None:
            _ask_to_end(process)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread is not None:
            self._thread.join(timeout)

    def _supervise(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            code = self._live()
            if self._stopping.is_set():
                return
            steady = time.monotonic() - began > _STEADY_SECONDS
            pause = _FIRST_PAUSE if steady else pause
            self.restarts += 1
            log.warning("history child ended", extra={"code": code, "fault": self.fault})
            self._stopping.wait(pause)
            pause = min(pause * 2, self._longest_pause)

    def _live(self) -> int:
        """One life of the child, from its start to its exit code."""
        # The kernel ends the child with the *thread* that started it (PR_SET_PDEATHSIG): this one,
        # which stays until the child is gone.
        with self._guard:
            if self._stopping.is_set():
                return 0
            process = self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        assert process.stderr is not None
        self._listen(process.stderr)
        code = process.wait()
        self._ready.clear()
        _ask_to_end(process)
        process.stderr.close()
        return code

    def _command(self) -> list[str]:
        # `-X faulthandler` costs nothing and names the Python line if the engine crashes.
        return [
            *(sys.executable, "-X", "faulthandler", "-m", "ops.history.chdb_server"),
            *("--path", str(self._directory / "engine"), "--port", str(self._port)),
            *("--token-file", str(self._directory / "token")),
        ]

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            if line.startswith(_READY):
                self.fault = ""
                self._ready.set()
            elif line.strip():
                self.fault = line.strip()[:500]


def _ask_to_end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _keep_token(path: Path) -> None:
    """Write a token that only its owner reads, unless there is one."""
    if path.exists() and path.stat().st_size:
        path.chmod(0o600)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")

"""Alertmanager as an oracle: one server, on loopback, with a configuration of the test's."""

import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import eventually


def alertmanager() -> str | None:
    """Where the server is, if it is here at all."""
    return os.environ.get("ALERTMANAGER") or shutil.which("alertmanager")


def amtool() -> str | None:
    """Where its command line is, if it is here at all."""
    return os.environ.get("AMTOOL") or shutil.which("amtool")


@dataclass(frozen=True)
class Alertmanager:
    """A running server."""

    url: str

    def post(self, alerts: Sequence[Mapping[str, object]]) -> None:
        """Announce alerts, in the form of API v2."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts",
            json.dumps(alerts).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()

    def silence(self, silence: Mapping[str, object]) -> str:
        """Set a silence; its id."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/silences",
            json.dumps(silence).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["silenceID"])

    def expire(self, silence: str) -> None:
        """End a silence now."""
        request = urllib.request.Request(f"{self.url}/api/v2/silence/{silence}", method="DELETE")
        urllib.request.urlopen(request, timeout=60).close()

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert, with the receivers it reaches."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=60) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found


@contextmanager
def serving(config: str, folder: Path) -> Iterator[Alertmanager]:
    """A server with this configuration, until the end."""
    file, log = folder / "alertmanager.yml", folder / "log"
    file.write_text(config, "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [alertmanager() or "alertmanager", f"--config.file={file}"]
    command += [f"--storage.path={folder / 'data'}", "--cluster.listen-address="]
    command += [f"--web.listen-address={address}"]
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
        try:
            _wait(f"http://{address}", process, log)
            yield Alertmanager(f"http://{address}")
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def is_up() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"Alertmanager ended:\n{log.read_text()[-3000:]}")
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
        except OSError:
            return False
        return True

    eventually(is_up, 60, lambda: log.read_text()[-3000:])

"""A `tocsin up` of the benchmark's own, on loopback, ended when the block is left."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collectors.http_publish import HttpPublish


@dataclass
class Running:
    """Where it answers, its process, and how long it took to serve (s)."""

    url: str
    pid: int
    publish: HttpPublish
    served_after: float


@contextmanager
def tocsin_up(
    directory: Path, rules: str, routes: str, *options: str, interval: str = "1s"
) -> Iterator[Running]:
    """Start with these files, wait until the API is served."""
    (directory / "rules.yml").write_text(rules)
    (directory / "routes.yml").write_text(routes)
    (directory / "tocsin.yaml").write_text(
        f"evaluation_interval: {interval}\nrules: [rules.yml]\nroutes: routes.yml\n"
        "agent: {host: {enabled: true}}\n"
    )
    command = [
        *(sys.executable, "-m", "ops", "up", "--config", str(directory / "tocsin.yaml")),
        *("--data", str(directory / "data"), "--listen", "127.0.0.1:0", *options),
    ]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = ""
    for line in process.stderr:
        if line.startswith("Listening on address="):
            address = line.strip().partition("=")[2]
            break
    served = time.perf_counter() - began
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        if not address:
            raise RuntimeError("tocsin up did not serve")
        token = directory / "data" / "agent.token"
        yield Running(
            f"http://{address}",
            process.pid,
            HttpPublish(f"http://{address}", token.read_text),
            served,
        )
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(20)


def children_of(pid: int) -> list[int]:
    """The processes that this one started."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]

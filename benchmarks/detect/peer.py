"""Prometheus over a fleet: what its rules cost it, in CPU seconds of the process."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

from benchmarks.detect.fleet import Target
from benchmarks.figures import cpu_of, rss_of

PORT, METRICS = 9_390, 9_301


def binary() -> str | None:
    """Where Prometheus is: `PROMETHEUS`, else what `make peers` built, else Debian's."""
    given = os.environ.get("PROMETHEUS") or ".peers/prometheus"
    return given if Path(given).is_file() else shutil.which("prometheus")


@dataclass(frozen=True, slots=True)
class Cost:
    """Over some seconds: CPU seconds of the process for each second, memory, samples a second."""

    cpu: float
    rss: float
    """MiB."""
    series: float
    samples: float


@dataclass
class Peer:
    """A running Prometheus."""

    pid: int
    directory: Path

    def rules(self, text: str) -> None:
        """Take other rules."""
        (self.directory / "rules.yml").write_text(text)
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/-/reload", method="POST")
        urllib.request.urlopen(request, timeout=60)

    def metrics(self) -> dict[str, float]:
        """Its own metrics, summed over their labels."""
        text = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=60).read()
        found: dict[str, float] = {}
        for line in text.decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                name = name.partition("{")[0]
                found[name] = found.get(name, 0.0) + float(value)
        return found

    def cost(self, seconds: float) -> Cost:
        """Over so many seconds."""
        before, cpu, began = self.metrics(), cpu_of(self.pid), time.monotonic()
        time.sleep(seconds)
        after = self.metrics()
        spent, passed = cpu_of(self.pid) - cpu, time.monotonic() - began

        def grown(name: str) -> float:
            return after[name] - before[name]

        return Cost(
            spent / passed,
            rss_of(self.pid),
            after["prometheus_tsdb_head_series"],
            grown("prometheus_tsdb_head_samples_appended_total") / passed,
        )

    def rules_cost(self, text: str, interval: float, seconds: float, idle: Cost) -> float:
        """CPU seconds of one pass over these rules: what they add to the process when idle."""
        self.rules(text)
        time.sleep(interval + 1)
        cost = self.cost(seconds)
        return (cost.cpu - idle.cpu) * interval


@contextmanager
def running(
    directory: Path, targets: Sequence[Target], scrape: str, evaluation: str = "5s"
) -> Iterator[Peer]:
    """A Prometheus that scrapes these targets; without rules at first."""
    program = binary()
    assert program is not None
    shown = directory / "shown"
    shown.mkdir()
    for target in targets:
        target.write(shown)
    (directory / "rules.yml").write_text("groups: []\n")
    (directory / "prometheus.yml").write_text(_config(targets, scrape, evaluation))
    commands = [
        [sys.executable, "-m", "benchmarks.detect.exposition", str(shown), str(METRICS)],
        [
            program,
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{PORT}",
            "--web.enable-lifecycle",
            "--log.level=error",
        ],
    ]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command, port in zip(commands, (METRICS, PORT), strict=True):
            started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            _answers(port)
        yield Peer(started[1].pid, directory)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def _config(targets: Sequence[Target], scrape: str, evaluation: str) -> str:
    shown = "".join(
        f'  - {{targets: ["127.0.0.1:{METRICS}"], labels: {{__metrics_path__: "/m/{each.key}", '
        f'instance: "host-{each.key}", job: "{each.job}"}}}}\n'
        for each in targets
    )
    return (
        f"global: {{scrape_interval: {scrape}, scrape_timeout: {scrape}, "
        f"evaluation_interval: {evaluation}}}\nrule_files: [rules.yml]\n"
        f"scrape_configs:\n- job_name: node\n  static_configs:\n{shown}"
    )


def _answers(port: int) -> None:
    for _ in range(600):
        try:
            create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nobody answers on port {port}")

"""What people really run: node_exporter's published rules over 300 hosts.

The rules are not part of this repository: `--rules=DIR` names a directory in which
`kube-prometheus/nodeExporter.yaml` is.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from benchmarks.detect import whole
from benchmarks.detect.node import hosts
from benchmarks.detect.ours import Ours
from benchmarks.detect.peer import running
from benchmarks.detect.table import Row

HOSTS = 300
PASS_GOAL, TOTAL_GOAL = 10.0, 3.0
MINUTE = 60_000


def run(directory: Path | None, with_peer: bool) -> Iterator[Row]:
    """A pass, and ten minutes of everything; nothing without a directory."""
    if directory is None:
        return
    text = next(directory.rglob("nodeExporter.yaml")).read_text()
    targets = hosts(HOSTS, 60)
    size = f"{HOSTS} hosts of {len(targets[0].series)} series"
    for_pass, for_all = _theirs(text) if with_peer else (None, None)
    ours = Ours(targets, {"rules.yml": text}, 5_000)
    ours.take(24)
    yield Row(
        f"nodeExporter.yaml ({ours.rules} rules), {size}: a pass, 21 samples in 5 minutes' place",
        "ms",
        for_pass,
        ours.cost() * 1e3,
        PASS_GOAL,
    )
    spent, before, samples = whole.cost(targets, text, MINUTE, 10)
    yield Row(
        f"the same, everything in 10 minutes at Prometheus's default intervals ({samples:,} "
        "samples; ours on arrival too, without log and history)",
        "CPU seconds",
        for_all,
        spent,
        TOTAL_GOAL,
        note=f"{before:.1f} more in the first two minutes",
    )


def _theirs(text: str) -> tuple[float, float]:
    """ms for a pass; CPU seconds in ten minutes, from two."""
    with (
        TemporaryDirectory(dir=".") as name,
        running(Path(name), hosts(HOSTS, 60), "5s", "15s") as peer,
    ):
        sleep(105)
        for_pass = peer.rules_cost(text, 15, 45, peer.cost(30)) * 1e3
    with (
        TemporaryDirectory(dir=".") as name,
        running(Path(name), hosts(HOSTS, 6), "1m", "1m") as peer,
    ):
        peer.rules(text)
        sleep(75)
        return for_pass, peer.cost(120).cpu * 600

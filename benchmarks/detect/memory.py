"""Memory of the detector for each series: resident, measured in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.detect.table import Row

SERIES, HOSTS = 100_000, 100
PROMETHEUS = 1.8
"""kB a series, as Prometheus 3.15 took with 100,000 series (the issue's figure)."""
CASES = (("15m", 15_000, 1.0), ("15m", 10_000, 1.0), ("1h", 15_000, 4.0), ("1h", 10_000, 4.0))
"""The longest range, ms between samples, and by how much more than Prometheus it may be."""
_CHILD = """
import os, sys
from benchmarks.detect.fleet import usage
from benchmarks.detect.ours import Ours
from benchmarks.figures import rss_of
range_, interval, hosts, series = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rules = (
    "groups:\\n- name: g\\n  rules:\\n"
    f"  - {{alert: A, expr: 'max_over_time(res_usage[{range_}]) > 200'}}\\n"
    "  - {alert: B, expr: 'avg_over_time(res_usage[1m]) > 200'}\\n"
)
targets = usage(hosts, series // hosts)
blocks = [target.block() for target in targets]
before = rss_of(os.getpid())
ours = Ours(targets, {"rules.yml": rules}, interval)
minutes = int(range_.rstrip("mh")) * (60 if range_.endswith("h") else 1)
for _ in range(minutes * 60_000 // interval // 8 + 2):
    ours.take(8)
    ours.evaluate()
print((rss_of(os.getpid()) - before) * 2**20 / len(ours.windows) / 1_000, ours.windows.nbytes)
"""


def run(_: Path | None, __: bool) -> Iterator[Row]:
    """A row for each longest range and interval."""
    for range_, interval, times in CASES:
        out = subprocess.run(
            [sys.executable, "-c", _CHILD, range_, str(interval), str(HOSTS), str(SERIES)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        yield Row(
            f"memory, {SERIES:,} series, longest range {range_}, a sample each "
            f"{interval // 1_000} s",
            "kB a series",
            PROMETHEUS,
            float(out[0]),
            1 / times,
            note=f"{float(out[1]) / SERIES / 1_000:.2f} of it samples",
        )

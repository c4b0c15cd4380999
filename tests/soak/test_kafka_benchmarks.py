"""The figures on Kafka are taken by one command, which starts what it needs and ends by itself."""

import subprocess
import sys

import pytest

from tests.support.kafka import jars
from tests.support.tocsin_process import ROOT, environment

pytestmark = pytest.mark.soak
ROWS = (
    "1 × 1 partitions, 10,000 series: samples per CPU-second",
    "1 × 8 partitions, 80,000 series: samples per CPU-second",
    "2 × 4 partitions, 80,000 series: samples per CPU-second",
    "| samples per CPU-second |",
    "transactions per second",
    "a transaction, p50 / p99, ms",
    "alert levels per CPU-second, announced again",
    "p50 / p99 / max, ms",
    "slowest partition's loading, s",
    "samples per CPU-second, ours and the engine's",
)


@pytest.mark.timeout(300)
def test_every_figure_is_printed() -> None:
    jars()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kafka", "--quick"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [row for row in ROWS if row not in done.stdout] == []


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kafka", "nothing"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown: nothing; there are: detector, floor, router" in done.stderr

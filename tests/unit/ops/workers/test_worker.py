"""A worker's signals and exit codes, in a process of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from ops import endpoint
from tests.support.tocsin_process import ROOT, environment
from tests.support.waiting import eventually

FILE = "worker-fake.endpoint"


@contextmanager
def worker(home: Path, kind: str, within: float = 5.0) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.worker_process", kind, str(home), str(within)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            yield process
    finally:
        process.kill()


def ready(home: Path) -> bool:
    """Whether its part was started."""
    note = endpoint.read(home, FILE)
    if note is None:
        return False
    try:
        with urlopen(f"http://{note.address}/readiness", timeout=5):
            return True
    except HTTPError as fault:
        fault.close()
        return False


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and what it said."""
    _, said = process.communicate(timeout=30)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with worker(tmp_path, "well") as process:
        eventually(lambda: endpoint.read(tmp_path, FILE))
        process.send_signal(number)
        code, said = ended(process)
    assert code == 0, said
    assert "worker ended" in said
    assert endpoint.read(tmp_path, FILE) is None


def test_a_part_that_does_not_end_is_left_with_3(tmp_path: Path) -> None:
    with worker(tmp_path, "hangs", within=2.0) as process:
        eventually(lambda: ready(tmp_path))
        began = time.monotonic()
        process.terminate()
        code, said = ended(process)
    assert code == 3, said
    assert "ended without waiting any longer stage=fake" in said
    assert time.monotonic() - began < 4.0


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with worker(tmp_path, "hangs", within=60.0) as process:
        eventually(lambda: ready(tmp_path))
        process.terminate()
        assert process.stdout is not None
        assert process.stdout.readline() == "asked to stop\n"
        process.terminate()
        assert ended(process)[0] == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("breaks", 3, 'worker stopped stage=fake problem="no idea: read the log"'),
        ("refuses", 2, 'worker refused stage=fake problem="fake.setting: is wrong: mend it"'),
    ],
)
def test_a_worker_that_cannot_go_on_ends_and_says_why(
    tmp_path: Path, kind: str, code: int, said: str
) -> None:
    with worker(tmp_path, kind) as process:
        found, heard = ended(process)
    assert found == code, heard
    assert said in heard


def test_sighup_reads_the_parts_files_again(tmp_path: Path) -> None:
    with worker(tmp_path, "well") as process:
        eventually(lambda: ready(tmp_path))
        assert process.stdout is not None
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline() == "reload 1\n"
        process.terminate()
        assert ended(process)[0] == 0

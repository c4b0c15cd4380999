"""The history child as a process: its start, its ends, and what survives them."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ops.history.child import HistoryChild

COMMAND = (sys.executable, "-m", "ops.history.chdb_server")


def begin(path: Path, token: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "--path", str(path), "--token-file", str(token)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    assert process.stderr is not None
    assert process.stdin is not None
    said = process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    return process.wait(10), said


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("secret\n")
    return file


@pytest.fixture
def running(tmp_path: Path, token: Path) -> Iterator[subprocess.Popen[str]]:
    process = begin(tmp_path / "engine", token)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Listening on address=127.0.0.1:")
    yield process
    if process.poll() is None:
        process.kill()
        ended(process)


def test_the_child_ends_when_its_parents_pipe_closes(running: subprocess.Popen[str]) -> None:
    assert running.stdin is not None
    running.stdin.close()
    assert running.wait(10) == 0
    ended(running)


def test_sigterm_ends_the_child_and_sigint_is_left_to_the_parent(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    running.send_signal(signal.SIGINT)
    port = (tmp_path / "port").read_text().strip()
    assert httpx.get(f"http://127.0.0.1:{port}/ping").text == "Ok.\n"
    running.send_signal(signal.SIGTERM)
    assert ended(running)[0] == 0


def test_a_second_process_on_the_directory_is_refused_and_the_first_goes_on(
    running: subprocess.Popen[str], tmp_path: Path, token: Path
) -> None:
    code, said = ended(begin(tmp_path / "engine", token))
    assert code == 2
    assert "is in use by another process" in said
    port = (tmp_path / "port").read_text().strip()
    answer = httpx.post(
        f"http://127.0.0.1:{port}/", content="SELECT 1", headers={"X-ClickHouse-Key": "secret"}
    )
    assert answer.text == "1\n"


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path, token: Path) -> None:
    (tmp_path / "engine").write_text("")
    code, said = ended(begin(tmp_path / "engine", token))
    assert code == 3
    assert "cannot be used as a data directory" in said


def test_a_missing_token_is_refused(tmp_path: Path) -> None:
    code, said = ended(begin(tmp_path / "engine", tmp_path / "nothing"))
    assert code == 1
    assert "no token" in said


PARENT = """
import sys
from pathlib import Path
from ops.history.child import HistoryChild
child = HistoryChild(Path(sys.argv[1]))
child.start()
assert child.wait_ready(30)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_the_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    handle = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    gone, _, _ = select.select([handle], [], [], 10)
    os.close(handle)
    parent.stdout.close()
    parent.stdin.close()
    assert gone


def test_a_killed_child_comes_back_at_the_same_address_with_its_tables(tmp_path: Path) -> None:
    child = HistoryChild(tmp_path / "history")
    child.start()
    assert child.wait_ready(30)
    address, first = child.address, child.pid
    url, key = f"http://127.0.0.1:{address.port}/", {"X-ClickHouse-Key": address.token}
    sql = "CREATE TABLE t ENGINE = MergeTree ORDER BY x AS SELECT 7 AS x"
    httpx.post(url, content=sql, headers=key).raise_for_status()
    assert first is not None
    handle = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    select.select([handle], [], [], 10)
    os.close(handle)
    answer = httpx.Client(transport=httpx.HTTPTransport(retries=8), headers=key)
    assert answer.post(url, content="SELECT x FROM t").text == "7\n"
    assert (child.address, child.restarts) == (address, 1)
    assert child.pid not in {first, None}
    answer.close()
    child.stop()
    assert child.pid is None
    again = HistoryChild(tmp_path / "history")
    again.start()
    assert again.wait_ready(30)
    assert again.address == address
    again.stop()


def test_only_the_owner_reads_the_tokens(tmp_path: Path) -> None:
    child = HistoryChild(tmp_path / "history")
    child.start()
    child.stop()
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o700
    for name in ("token", "analyst.token"):
        assert (tmp_path / "history" / name).stat().st_mode & 0o777 == 0o600
    assert "token=" not in repr(HistoryChild(tmp_path).__dict__)


def test_a_child_that_cannot_start_says_why_and_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "engine").write_text("")
    child = HistoryChild(tmp_path / "history", longest_pause=0.01)
    child.start()
    assert not child.wait_ready(1.5)
    child.stop()
    assert child.restarts >= 1
    assert "cannot be used as a data directory" in child.fault


def test_the_parents_side_loads_neither_engine_nor_client() -> None:
    code = (
        "import sys, ops.history.child, ops.history.clickhouse\n"
        "sys.exit(any(n in sys.modules for n in ('chdb', 'clickhouse_connect', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

import os
from pathlib import Path
from time import monotonic

import pytest

from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.command import Command
from notifiers.channels.command_config import CommandConfig
from notifiers.channels.config import ChannelKind
from tests.support.waiting import eventually
from tests.unit.notifiers.deliveries import message


def command(script: str, *words: object, timeout: int = 0) -> Command:
    line = ("/bin/sh", "-c", script, *map(str, words))
    return Command(CommandConfig(ChannelKind.COMMAND, command=line, timeout=timeout))


def failure(script: str, *words: object, timeout: int = 0) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        command(script, *words, timeout=timeout).send(message())
    return caught.value


@pytest.mark.parametrize(
    ("script", "reason", "retry"),
    [
        ("exit 1", Failure.REJECTED, False),
        ("exit 75", Failure.SERVER_ERROR, True),
        ("kill -TERM $$", Failure.BROKEN_CHANNEL, True),
        ("no-such-program-anywhere", Failure.REJECTED, False),
    ],
)
def test_the_exit_code_is_the_answer(script: str, reason: Failure, retry: bool) -> None:
    failed = failure(script)
    assert (failed.reason, failed.retry) == (reason, retry)


def test_a_program_that_does_not_read_is_asked_all_the_same() -> None:
    command("exit 0").send(message(group_key="x" * 65_000, external_url="x" * 65_000))


def test_a_program_has_its_time_and_takes_its_children_with_it(tmp_path: Path) -> None:
    began = monotonic()
    script = 'sleep 60 & echo $! > "$0/child"; wait'
    failed = failure(script, tmp_path, timeout=300)
    assert (failed.reason, failed.retry) == (Failure.TIMED_OUT, True)
    assert monotonic() - began < 5
    child = int((tmp_path / "child").read_text())
    eventually(lambda: _gone(child), within=5)


def test_a_program_that_prints_for_ever_fills_nothing() -> None:
    assert failure("yes; exit 3", timeout=300).reason is Failure.TIMED_OUT


def test_the_environment_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "canary")
    command('/usr/bin/env > "$0/env"', tmp_path).send(message(attempt=2))
    found = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    ours = {"PATH", "LC_ALL", "TOCSIN_DELIVERY", "TOCSIN_ATTEMPT"}
    assert found.keys() - {"PWD", "SHLVL", "_", "OLDPWD"} == ours
    assert (found["TOCSIN_DELIVERY"], found["TOCSIN_ATTEMPT"]) == ("0123456789abcdef01234567", "2")


def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    words = ("/usr/bin/touch", f"{tmp_path}/a; touch {tmp_path}/b")
    with pytest.raises(DeliveryFailed):
        Command(CommandConfig(ChannelKind.COMMAND, command=words)).send(message())
    assert not (tmp_path / "b").exists()


def _gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody waited for counts as ended."""
    try:
        os.kill(pid, 0)
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return True

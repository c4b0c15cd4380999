"""`make kafka` where a broker runs already: the setting again, so that a shell can take it."""

from pathlib import Path

import pytest

from ops.deploy.kafka import __main__ as kafka

HERE = "127.0.0.1:9092"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on which a broker runs."""
    (tmp_path / "address").write_text(f"{HERE}\n")
    monkeypatch.setattr(kafka, "running", lambda directory: 1)
    return tmp_path


@pytest.mark.parametrize("port", [0, 9092])
def test_a_broker_that_runs_is_told_again(
    runs: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kafka.start(runs, runs, port) == 0
    told = capsys.readouterr()
    assert told.out == f"export TOCSIN__KAFKA__BOOTSTRAP={HERE}\n"
    assert "already" in told.err


def test_one_on_another_port_is_not_what_was_asked_for(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kafka.start(runs, runs, 92) == 1
    assert capsys.readouterr().out == ""

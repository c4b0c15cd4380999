"""`tocsin rules backtest`, where it cannot begin."""

from pathlib import Path

import pytest

from ops.cli.command_line import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yml").write_text("groups: []")
    return tmp_path


def test_without_history_it_says_what_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "backtest", "rules.yml", "--data", "nowhere"]) == 2
    assert "no history in nowhere: start `tocsin up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "why"), [("gone.yml", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_named(
    file: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "backtest", file]) == 2
    assert capsys.readouterr().err == f"{file}: cannot be read: {why}\n"

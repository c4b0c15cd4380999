"""Where history is kept."""

from pathlib import Path

import pytest

from ops.config_problems import Problems
from ops.history.child import HistoryChild
from ops.parts.history_server import External, server_of
from ops.settings import Settings, load


def loaded(home: Path, text: str) -> Settings:
    (home / "tocsin.yaml").write_text(text)
    return load(home / "tocsin.yaml", {}, {}).settings


def test_without_an_address_a_child_is_started(tmp_path: Path) -> None:
    assert isinstance(server_of(Settings(data=tmp_path)), HistoryChild)


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("http://clickhouse", "clickhouse", 8123, False),
        ("https://ch.example.org", "ch.example.org", 8443, True),
        ("https://[::1]:9000", "::1", 9000, True),
    ],
)
def test_a_server_is_asked_where_its_address_says_and_as_whom(
    tmp_path: Path, url: str, host: str, port: int, secure: bool
) -> None:
    (tmp_path / "password").write_text("swordfish\n")
    (tmp_path / "password").chmod(0o600)
    settings = loaded(
        tmp_path,
        f'history: {{url: "{url}", user: tocsin, password_file: password, database: mon}}',
    )
    server = server_of(settings)
    assert isinstance(server, External)
    at = server.address
    assert (at.host, at.port, at.secure) == (host, port, secure)
    assert (at.user, at.token, at.database) == ("tocsin", "swordfish", "mon")
    assert "swordfish" not in repr(settings)
    assert "swordfish" not in repr(at)


def test_a_password_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problems, match=r"history\.password_file: .*none cannot be read"):
        loaded(tmp_path, "history: {password_file: none}")

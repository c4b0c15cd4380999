"""The console's pages while the console is not there yet."""

from tests.unit.ops.api.asking import ask

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_that_follows_a_link_early_is_told_to_wait() -> None:
    for page in ("/", "/silences?incident=1", "/incidents/0123"):
        answer = ask("GET", page, headers=BROWSER)
        assert answer.status_code == 200
        assert "Tocsin is starting" in answer.text


def test_a_program_is_told_that_there_is_no_such_page() -> None:
    assert ask("GET", "/incidents/0123").status_code == 404
    assert ask("POST", "/silences", headers=BROWSER).status_code == 404

"""`tocsin rules explain`, without a server and with one."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from ops.cli.command_line import main

RULES = """
groups:
  - name: hosts
    rules:
      - {alert: Hot, expr: temperature > 90}
      - {alert: Gone, expr: temprature > 90}
      - {record: "job:max", expr: max by (job) (temperature)}
      - {alert: Max, expr: "job:max > 5"}
      - {alert: Always, expr: vector(1)}
"""
COUNTS = {"count(temperature)": "3"}


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yml").write_text(RULES)
    return "rules.yml"


@pytest.fixture
def server() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlparse(self.path).query)["query"][0]
            rows = [{"metric": {}, "value": [0, COUNTS[query]]}] if query in COUNTS else []
            body = json.dumps({"status": "success", "data": {"result": rows}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    made = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_without_a_server_what_matches_is_unknown(
    rules: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "explain", rules]) == 0
    said = capsys.readouterr().out
    assert "matches  unknown: no server" in said
    assert "WARNING" not in said


def test_a_rule_that_matches_no_series_is_a_warning(
    rules: str, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "explain", rules, "--url", server]) == 0
    said = capsys.readouterr().out
    assert said.startswith("rules.yml: group hosts: spans instances (job:max: max joins")
    assert "matches  series now: temperature: 3" in said
    assert said.count("WARNING") == 1, "what a rule records comes once it is in force"
    assert "WARNING  temprature matches no series" in said
    assert "matches  it reads no series" in said


def test_as_json_it_says_the_same(
    rules: str, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "explain", rules, "--url", server, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    hot, gone, record, *_ = said["rules"]
    assert said["unknown"] == ""
    assert hot["reads"][0]["series"] == 3
    assert (hot["warnings"], gone["warnings"]) == ([], ["temprature matches no series"])
    assert record["spans_itself"] == "max joins series of different instances"


def test_a_server_that_is_named_and_does_not_answer_is_an_error(rules: str) -> None:
    assert main(["rules", "explain", rules, "--url", "http://127.0.0.1:9"]) == 3


def test_a_file_that_is_refused_is_said_to_be(
    rules: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(rules).write_text("groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]")
    assert main(["rules", "explain", rules]) == 2
    assert "rules.yml:1" in capsys.readouterr().err


def test_a_detector_is_named_without_its_options(
    rules: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(rules).write_text(
        "groups: [{name: a, rules: [{alert: A, detect: {absent: {series: up}}}]}]"
    )
    assert main(["rules", "explain", rules]) == 0
    assert "\n  alert A: detect absent\n" in capsys.readouterr().out


def test_a_file_without_rules_has_none(rules: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(rules).write_text("")
    assert main(["rules", "explain", rules]) == 0
    assert capsys.readouterr().out == "no rules\n"

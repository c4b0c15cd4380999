import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ops import endpoint
from ops.cli.command_line import main


class Probes(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"status": "unhealthy"}' if "bad" in self.path else b'{"status": "healthy"}'
        self.send_response(503 if "bad" in self.path else 200)
        self.end_headers()
        self.wfile.write(b"plain" if "plain" in self.path else body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Probes) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_is_well_is_0_and_what_is_not_is_1(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "--url", f"http://{address}/health"]) == 0
    assert main(["probe", "--url", f"http://{address}/bad"]) == 1
    assert main(["probe", "--url", f"http://{address}/plain"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"http://{address}/health: healthy",
        f"http://{address}/plain: plain",
    ]
    assert said.err == f"http://{address}/bad: unhealthy\n"


def test_who_does_not_answer_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--url", "http://127.0.0.1:9/health"]) == 3
    assert "http://127.0.0.1:9/health does not answer" in capsys.readouterr().err


def test_an_address_that_is_none_is_2() -> None:
    assert main(["probe", "--url", "127.0.0.1:9"]) == 2


def test_the_data_directory_knows_whom_to_ask(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["probe", "--data", str(tmp_path)]
    assert main(asked) == 3
    assert "nothing runs on this data directory" in capsys.readouterr().err
    for file in (endpoint.FILE, endpoint.worker_file("router")):
        endpoint.write(tmp_path, endpoint.Endpoint(address, "", 1), file)
    assert main(asked) == 0
    assert capsys.readouterr().out == f"http://{address}/health: healthy\n" * 2

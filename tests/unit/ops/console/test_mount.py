"""What NiceGUI logs, in a process of its own: it keeps its application in module globals."""

import subprocess
import sys

_SCRIPT = """
import logging
from starlette.testclient import TestClient
from ops.console.mount import console
from tests.support.fake_services import FakeServices

logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s")
console(FakeServices())()
from ops.console.mount import _shell

client = TestClient(_shell[0])
assert client.get("//ping/3f2b6a0e-8a53-4c53").status_code == 404
assert client.request("PROPFIND", "/ping/3f2b6a0e-8a53-4c53").status_code == 404
logging.getLogger("nicegui").warning("something else")
"""


def test_an_address_that_nobody_knows_is_not_logged() -> None:
    found = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=120, check=True
    )
    lines = [line for line in found.stderr.splitlines() if line.startswith("nicegui")]
    assert lines == ["nicegui: something else"]

"""A console for a real browser: Debian's Chromium, where there is one."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops.api.app import build
from ops.api.serve import Server, bind
from ops.console.mount import console
from ops.services import Access
from tests.support.fake_services import FakeServices
from tests.support.fleet import fleet
from tests.support.waiting import patience

CHROMIUM = shutil.which("chromium") or ""
TOKEN = "0123456789abcdef"
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
MARKS = [
    pytest.mark.skipif(
        not CHROMIUM and "CI" not in os.environ, reason="needs Chromium: apt-get install chromium"
    ),
    # NiceGUI's socketio imports kafka-python where it is installed, which reads its schemas so.
    pytest.mark.filterwarnings("ignore:read_text is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:open_text is deprecated:DeprecationWarning"),
]


@dataclass
class Stand:
    """A server on a free port and the services behind it, which a test may change."""

    url: str
    services: FakeServices
    browser: Any
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def page(
        self,
        viewport: dict[str, int] = DESKTOP,
        path: str = "",
        wait: str = ".tc-chart canvas",
        **options: Any,
    ) -> Iterator[Any]:
        """A page that has loaded; requests and errors are collected."""
        context = self.browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(10_000 * patience())
        page = context.new_page()
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("websocket", lambda socket: page.requests.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        try:
            page.goto(f"{self.url}{path}")
            page.wait_for_selector(wait)
            yield page
        finally:
            context.close()
        assert self.errors == []

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)


def stands() -> Iterator[Stand]:
    """The stand of one process, and its end."""
    assert CHROMIUM, "CI without Chromium"
    from playwright.sync_api import sync_playwright

    services = fleet()
    server = Server(build(services, Access(TOKEN), console(services)), bind("127.0.0.1", 0))
    server.start()
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=list(ARGS))
            stand = Stand(f"http://{server.address}/", services, browser)
            yield stand
            # NiceGUI has one console a process, so its end is tried when all else has been.
            page = browser.new_page()
            page.goto(stand.url)
            page.wait_for_selector(".tc-table")
            began = time.monotonic()
            server.stop()
            assert not server.alive
            assert time.monotonic() - began < 5, "a page that is open must not hold the server"
            browser.close()
    finally:
        server.stop()


def borrowed(stand: Stand) -> Iterator[FakeServices]:
    """The services, put back as they were."""
    before = dict(vars(stand.services))
    yield stand.services
    vars(stand.services).clear()
    vars(stand.services).update(before)
    stand.errors.clear()


def picture(page: Any, name: str) -> None:
    """Keep a screenshot where TOCSIN_SCREENSHOTS says."""
    if directory := os.environ.get("TOCSIN_SCREENSHOTS"):
        page.screenshot(path=str(Path(directory) / f"{name}.png"), full_page=True)

import asyncio

import httpx
import pytest

from ops.api.app import build
from tests.support.fake_services import FakeServices
from tests.unit.ops.api.asking import GUARDED, OPEN, TOKEN


def status(path: str, prefix: str, *, guarded: bool = False) -> int:
    app = build(FakeServices(), GUARDED if guarded else OPEN, prefix=prefix)

    async def go() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get(path)).status_code

    return asyncio.run(go())


@pytest.mark.parametrize("prefix", ["/x", "/api", "/a/b"])
def test_everything_is_under_the_prefix_and_nothing_beside_it(prefix: str) -> None:
    assert status(f"{prefix}/api/v2/alerts", prefix) == 200
    assert status(f"{prefix}/-/healthy", prefix) == 200
    assert status("/-/healthy", prefix) == 404
    assert status(f"{prefix}er/-/healthy", prefix) == 404
    assert status("/", prefix) == 307


def test_the_guard_knows_open_paths_under_the_prefix() -> None:
    assert status("/x/-/healthy", "/x", guarded=True) == 200
    assert status("/x/api/v2/alerts", "/x", guarded=True) == 401


def test_a_browser_is_sent_to_the_form_under_the_prefix_and_from_there_to_the_console() -> None:
    app = build(FakeServices(), GUARDED, prefix="/x")

    async def go() -> list[str]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            away = await client.get("/x/incidents", headers={"accept": "text/html"})
            shown = await client.post("/x/login", data={"token": TOKEN})
            return [away.headers["location"], shown.headers["location"]]

    assert asyncio.run(go()) == ["/x/login", "/x/"]

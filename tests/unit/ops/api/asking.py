"""Requests to the application without a socket."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from ops.api.app import build
from ops.services import Access
from tests.support.fake_services import FakeServices

TOKEN = "0123456789abcdef"
OPEN = Access(token=TOKEN)
GUARDED = Access(token=TOKEN, guarded=True, hosts=frozenset())
BEARER = {"authorization": f"Bearer {TOKEN}"}


def ask(
    method: str,
    path: str,
    services: FakeServices | None = None,
    access: Access = OPEN,
    base: str = "http://127.0.0.1:8080",
    headers: Mapping[str, str] | None = None,
    **request: Any,
) -> httpx.Response:
    """One request, one answer."""

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(build(services or FakeServices(), access))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, headers=headers, **request)

    return asyncio.run(go())

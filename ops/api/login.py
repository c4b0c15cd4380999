"""How a browser shows the token: once, in a form, for a cookie that scripts cannot read."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ops.api.body import read_body
from ops.api.guard import COOKIE, LOGIN_PATH, equal, session_of
from ops.services import Access

_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Tocsin</title>
<style>:root{color-scheme:light dark}body{font:16px system-ui,sans-serif;display:grid;
place-items:center;min-height:90vh;margin:0}form{display:grid;gap:12px;width:min(320px,90vw)}
input,button{font:inherit;padding:10px}p{color:#c62828;margin:0}</style></head><body>
<form method="post"><h1>Tocsin</h1>%s<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" autofocus required>
<button>Open the console</button></form></body></html>"""


def routes(access: Access) -> APIRouter:
    """The form and what it posts to."""
    router = APIRouter()

    @router.get(LOGIN_PATH)
    async def form() -> Response:
        return HTMLResponse(_PAGE % "")

    @router.post(LOGIN_PATH)
    async def login(request: Request) -> Response:
        fields = parse_qs((await read_body(request, 8_192)).decode("utf-8", "replace"))
        given = fields.get("token", [""])[0].strip()
        if access.token is None or not equal(given, access.token):
            return HTMLResponse(_PAGE % "<p>That is not the token.</p>", 401)
        answer = RedirectResponse(f"{request.scope.get('root_path', '')}/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, session_of(access.token), httponly=True, samesite="strict", secure=secure
        )
        return answer

    return router

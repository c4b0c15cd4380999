"""Everything under one path, as Alertmanager's --web.route-prefix."""

from fastapi.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Prefixed:
    """Serves the application under `prefix` alone; without one it is not in the way."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.prefix or scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith(f"{self.prefix}/"):
            await self.app({**scope, "root_path": self.prefix}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif path in {"/", self.prefix}:
            await RedirectResponse(f"{self.prefix}/")(scope, receive, send)
        else:
            body = {"status": "error", "error": f"everything is under {self.prefix}/"}
            await JSONResponse(body, 404)(scope, receive, send)

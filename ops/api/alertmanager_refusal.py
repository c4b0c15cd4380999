"""Refusals in the words and the two shapes of Alertmanager's API."""

from fastapi.responses import JSONResponse, Response

from schemas.errors import TocsinError

REQUIRED = 602
NOT_OF_TYPE = 601
TOO_FEW = 612


class NotValid(TocsinError):
    """What the description of the API does not allow; `code` above 600 answers 422."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    def answer(self) -> Response:
        """As go-openapi, which checks before Alertmanager does, answers."""
        body = {"code": self.code, "message": str(self)}
        return JSONResponse(body, 422 if self.code >= 600 else self.code)


RETRY_AFTER = "5"
"""Seconds after which the log may take again what it did not take now."""


class Denied(TocsinError):
    """What Alertmanager itself refuses: a status and a text."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status

    def answer(self) -> Response:
        """The text as a JSON string, or nothing."""
        headers = {"retry-after": RETRY_AFTER} if self.status == 503 else None
        if not str(self):
            return Response(status_code=self.status, headers=headers)
        return JSONResponse(str(self), self.status, headers)

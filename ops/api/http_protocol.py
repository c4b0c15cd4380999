"""uvicorn's HTTP protocol on httptools, whose parser keeps heads and trailers without a limit."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD: Final = 65_536
"""Bytes of a head, or of a body's trailers, besides those that came in one piece with its begin."""


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection on which more and more comes and no request goes on."""

    _went_on = False
    _head = 0

    def data_received(self, data: bytes) -> None:
        """What came; 400 where it is of one head, which becomes too long."""
        self._went_on = False
        super().data_received(data)
        self._head = 0 if self._went_on else self._head + len(data)
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._went_on = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head ends."""
        self._went_on = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._went_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It ends."""
        self._went_on = True
        super().on_message_complete()

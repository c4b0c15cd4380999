"""uvicorn's HTTP protocol on httptools, whose parser keeps heads of requests without a limit."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD: Final = 65_536
"""Bytes of a request's head, besides those that came in one piece with its begin."""


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request does not come to the end of its head."""

    _reads_head = False
    _head = 0

    def data_received(self, data: bytes) -> None:
        """What came; 400 when a head becomes too long."""
        went_on = self._reads_head
        super().data_received(data)
        if went_on and self._reads_head:
            self._head += len(data)
            if self._head > MOST_HEAD and not self.transport.is_closing():
                self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reads_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its body, or the next one, follows."""
        self._reads_head = False
        super().on_headers_complete()

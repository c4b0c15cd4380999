"""How far a probe through httpx has come: phases, headers, body."""

import ssl
import time
from typing import Any

import httpx

from collectors.sources.http_check import HttpReading, Phase


class Probe:
    """What is known of a probe so far, so that one that ends early tells how far it came."""

    def __init__(self, max_body: int) -> None:
        self.begun = self._entered = time.monotonic()
        self.phase = Phase.RESOLVE
        self.error = ""
        self.status = self.redirects = self.ip_version = 0
        self.location = ""
        self._max_body = max_body
        self._phases: dict[Phase, float] = {}
        self._body = b""
        self._cut = False
        self._length = -1
        self._version = ""
        self._tls = False
        self._expiry: float | None = None
        self._stream: Any = None

    def enter(self, phase: Phase) -> None:
        """Time from here on is this phase's."""
        self.phase, self._entered = phase, time.monotonic()

    def leave(self) -> None:
        """Book the time since `enter`."""
        now = time.monotonic()
        self._phases[self.phase] = self._phases.get(self.phase, 0.0) + now - self._entered
        self._entered = now

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's tracing (httpx: request extensions), which alone sees the phases."""
        match event:
            case "connection.connect_tcp.complete":
                self._stream = info["return_value"]
                self.leave()
                self.enter(Phase.PROCESSING)
            case "connection.start_tls.started":
                self.enter(Phase.TLS)
            case "connection.start_tls.complete":
                self._tls = True
                self.leave()
                self.enter(Phase.PROCESSING)

    async def close(self) -> None:
        """httpcore 1.0 leaves the connection open when a TLS handshake is cancelled."""
        if self._stream is not None:
            await self._stream.aclose()

    def headers_came(self, response: httpx.Response) -> None:
        """Keep what the answer's head says."""
        self.leave()
        self.enter(Phase.TRANSFER)
        self.status = response.status_code
        self.location = response.headers.get("Location", "")
        self._body, self._cut = b"", False
        length = response.headers.get("Content-Length", "")
        self._length = int(length) if length.isdecimal() and len(length) < 19 else -1
        self._version = response.extensions["http_version"].decode("ascii", "replace")
        secured = response.extensions["network_stream"].get_extra_info("ssl_object")
        self._tls = secured is not None
        certificate = secured.getpeercert() if secured else None
        if certificate and "notAfter" in certificate:  # empty when it was not verified
            self._expiry = float(ssl.cert_time_to_seconds(certificate["notAfter"]))

    async def receive(self, response: httpx.Response) -> None:
        """Read the body, up to its limit."""
        try:
            async for chunk in response.aiter_raw():
                room = self._max_body - len(self._body)
                self._body += chunk[:room]
                if len(chunk) > room:
                    self._cut = True
                    break
        finally:
            await response.aclose()
        self.leave()

    def reading(self, at: int) -> HttpReading:
        """What is known now."""
        if self.error:
            self.leave()
        return HttpReading(
            at=at,
            duration=time.monotonic() - self.begun,
            error=self.error,
            phases=self._phases,
            status=self.status,
            version=self._version,
            content_length=self._length,
            body=self._body,
            cut=self._cut,
            redirects=self.redirects,
            ip_version=self.ip_version,
            tls=self._tls,
            cert_expiry=self._expiry,
        )

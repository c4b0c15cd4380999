"""The door to HTTP checks, through httpx: one probe, one deadline, whatever the server does."""

import asyncio
import ipaddress
import ssl
import time
from typing import Any

import httpx

from collectors.sources.http_check import HttpCheck, HttpReading, Phase, observe_http
from collectors.sources.naming import Naming
from collectors.sources.resolve import addresses
from collectors.sources.source import Observation

AGENT = "tocsin-agent"
MOST_REDIRECTS = 10
MOST_ADDRESSES = 4
_REDIRECTS = (301, 302, 303, 307, 308)


class HttpSource:
    """One HTTP check. Every probe opens a connection of its own, as a new visitor would."""

    def __init__(self, check: HttpCheck) -> None:
        self.name = f"http:{check.name}"
        self.instance = check.url
        self.job = check.name
        self.interval = check.interval
        self._check = check
        self._named = Naming(self.instance, self.job)
        self._plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls: ssl.SSLContext | None = None

    def read(self, at: int) -> HttpReading:
        """Ask once; whatever goes wrong is in the reading."""
        timeout = self._check.timeout.total_seconds()
        probe = _Probe(self._check.max_body)
        try:
            self._ask(probe, probe.begun + timeout)
        except (TimeoutError, httpx.TimeoutException):
            probe.error = f"timed out after {timeout:g} s ({probe.phase})"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as fault:
            cause = _root(fault)
            probe.error = f"{probe.phase} failed: {cause or type(cause).__name__}"
        return probe.reading(at)

    def observe(self, reading: HttpReading) -> Observation:
        """blackbox_exporter's samples and a check result."""
        return observe_http(self._check, reading, self._named)

    def _ask(self, probe: "_Probe", until: float) -> None:
        check = self._check
        url, method = httpx.URL(check.url), check.method
        headers = {name: value.get_secret_value() for name, value in check.headers.items()}
        while True:
            self._ask_host(probe, method, url, headers, until)
            if not check.follow_redirects or probe.status not in _REDIRECTS or not probe.location:
                return
            if probe.redirects >= MOST_REDIRECTS:
                raise ValueError(f"more than {MOST_REDIRECTS} redirects")
            following = url.join(probe.location)
            if following.scheme not in ("http", "https"):
                raise ValueError("redirected to what is not HTTP")
            probe.redirects += 1
            if (following.scheme, following.netloc) != (url.scheme, url.netloc):
                headers = {}  # they may be credentials, and were meant for the first host
            if probe.status == 303 and method != "HEAD":
                method = "GET"
            url = following

    def _ask_host(
        self, probe: "_Probe", method: str, url: httpx.URL, headers: dict[str, str], until: float
    ) -> None:
        """Ask the first address that takes a connection, as browsers and curl do."""
        probe.enter(Phase.RESOLVE)
        port = url.port or (443 if url.scheme == "https" else 80)
        host = url.raw_host.decode("ascii").strip("[]")
        found = addresses(host, port, until - time.monotonic())[:MOST_ADDRESSES]
        probe.leave()
        for address in found:
            asks = httpx.Headers(
                {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
            )
            asks["Host"] = url.netloc.decode("ascii")
            asks.update(headers)
            extensions: dict[str, Any] = {"trace": probe.trace}
            if host != address:
                extensions["sni_hostname"] = host
            request = httpx.Request(
                method, url.copy_with(host=address), headers=asks, extensions=extensions
            )
            try:
                probe.ip_version = ipaddress.ip_address(address.partition("%")[0]).version
                return asyncio.run(self._request(probe, request, until))
            except httpx.ConnectError:
                if probe.phase is not Phase.CONNECT or address == found[-1]:
                    raise
        raise OSError("the name has no address")

    async def _request(self, probe: "_Probe", request: httpx.Request, until: float) -> None:
        tls = self._context() if request.url.scheme == "https" else self._plain
        async with asyncio.timeout(max(0.0, until - time.monotonic())):
            async with httpx.AsyncHTTPTransport(verify=tls, trust_env=False) as transport:
                probe.enter(Phase.CONNECT)
                response = await transport.handle_async_request(request)
                probe.headers_came(response)
                await probe.receive(response)

    def _context(self) -> ssl.SSLContext:
        """Built once: reading the authorities' certificates takes longer than a probe."""
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._check.ca_file or None)
            if not self._check.verify_tls:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return self._tls


class _Probe:
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

    def enter(self, phase: Phase) -> None:
        self.phase, self._entered = phase, time.monotonic()

    def leave(self) -> None:
        now = time.monotonic()
        self._phases[self.phase] = self._phases.get(self.phase, 0.0) + now - self._entered
        self._entered = now

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """httpcore's tracing (httpx: request extensions), which alone sees the phases."""
        match event:
            case "connection.connect_tcp.complete":
                self.leave()
                self.enter(Phase.PROCESSING)
            case "connection.start_tls.started":
                self.enter(Phase.TLS)
            case "connection.start_tls.complete":
                self._tls = True
                self.leave()
                self.enter(Phase.PROCESSING)

    def headers_came(self, response: httpx.Response) -> None:
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


def _root(fault: BaseException) -> BaseException:
    """The cause that people can act on, which httpx, anyio and asyncio wrap in turn."""
    while (cause := fault.__cause__ or fault.__context__) is not None:
        fault = cause
    return fault

"""The door to HTTP checks, through httpx: one probe, one deadline, whatever the server does."""

import asyncio
import ipaddress
import ssl
import time
from typing import Any

import httpx

from collectors.sources.http_check import HttpCheck, HttpReading, Phase, observe_http
from collectors.sources.httpx_progress import Probe
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
        probe = Probe(self._check.max_body)
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

    def _ask(self, probe: Probe, until: float) -> None:
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
        self, probe: Probe, method: str, url: httpx.URL, headers: dict[str, str], until: float
    ) -> None:
        """Ask the first address that takes a connection, as browsers and curl do."""
        probe.enter(Phase.RESOLVE)
        port = url.port or (443 if url.scheme == "https" else 80)
        host = url.raw_host.decode("ascii").strip("[]")
        found = addresses(host, port, until - time.monotonic())[:MOST_ADDRESSES]
        probe.leave()
        for tried, address in enumerate(found):
            # An address that swallows packets must leave time for the next.
            share = (until - time.monotonic()) / (len(found) - tried)
            asks = httpx.Headers(
                {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
            )
            asks["Host"] = url.netloc.decode("ascii")
            asks.update(headers)
            extensions: dict[str, Any] = {"trace": probe.trace, "timeout": {"connect": share}}
            if host != address:
                extensions["sni_hostname"] = host
            request = httpx.Request(
                method, url.copy_with(host=address), headers=asks, extensions=extensions
            )
            try:
                probe.ip_version = ipaddress.ip_address(address.partition("%")[0]).version
                return asyncio.run(self._request(probe, request, until))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if probe.phase is not Phase.CONNECT or address == found[-1]:
                    raise
        raise OSError("the name has no address")

    async def _request(self, probe: Probe, request: httpx.Request, until: float) -> None:
        tls = self._context() if request.url.scheme == "https" else self._plain
        try:
            async with (
                asyncio.timeout(max(0.0, until - time.monotonic())),
                httpx.AsyncHTTPTransport(verify=tls, trust_env=False) as transport,
            ):
                probe.enter(Phase.CONNECT)
                response = await transport.handle_async_request(request)
                probe.headers_came(response)
                await probe.receive(response)
        finally:
            await probe.close()

    def _context(self) -> ssl.SSLContext:
        """Built once: reading the authorities' certificates takes longer than a probe."""
        if self._tls is None:
            try:
                self._tls = ssl.create_default_context(cafile=self._check.ca_file or None)
            except OSError as fault:
                raise ValueError(f"ca_file {self._check.ca_file}: {fault}") from None
            if not self._check.verify_tls:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return self._tls


def _root(fault: BaseException) -> BaseException:
    """The cause that people can act on, which httpx, anyio and asyncio wrap in turn."""
    while cause := fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__):
        fault = cause
    return fault

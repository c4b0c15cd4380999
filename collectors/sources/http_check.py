"""The HTTP check: its configuration, and what a probe's reading says in blackbox_exporter's names.

Labels: `instance` is the target's URL, `job` and `check` the check's name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from collectors.durations import Interval
from collectors.sources.naming import Naming, clean
from collectors.sources.source import Observation
from schemas.checks import CheckResult, CheckStatus

MAX_MESSAGE = 500
"""Characters of a result's message: part of it is what a stranger's server said."""


def _http(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise ValueError(f"not a URL: {fault}") from fault
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("write a URL that begins with http:// or https:// and names a host")
    if parts.username is not None or parts.password is not None:
        # The URL becomes a label, which everybody sees.
        raise ValueError("put credentials into `headers`, not into the URL")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise ValueError("a URL has no spaces and no control characters")
    return url


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as fault:
        raise ValueError(f"not a regular expression: {fault}") from fault
    return pattern


Pattern = Annotated[str, Field(max_length=1_024), AfterValidator(_compiles)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=128)]


class HttpCheck(BaseModel):
    """One URL to ask, how, and what a good answer is.

    `timeout` is for everything together: name, connection, TLS, redirects, body. At most
    `max_body` bytes of the body are read, and patterns look at those.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    url: Annotated[str, Field(max_length=2_048), AfterValidator(_http)]
    interval: Interval = timedelta(seconds=15)
    timeout: Interval = timedelta(seconds=5)
    method: Literal["GET", "HEAD", "POST", "PUT", "OPTIONS"] = "GET"
    headers: dict[HeaderName, SecretStr] = Field(default={}, max_length=64)
    valid_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    """Empty: any 2xx."""
    body_matches: Pattern = ""
    """The body must match this; empty: any body."""
    body_must_not_match: Pattern = ""
    follow_redirects: bool = False
    max_body: int = Field(default=65_536, ge=0, le=16_777_216)
    verify_tls: bool = True
    ca_file: str = ""

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.timeout > self.interval:
            raise ValueError("timeout is longer than interval; make it shorter")
        return self


class Phase(StrEnum):
    """Where a probe's time went: blackbox_exporter's words."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    PROCESSING = "processing"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class HttpReading:
    """What a probe saw; `error` says why it ended early, if it did. Durations are in seconds."""

    at: int
    duration: float
    error: str = ""
    phases: Mapping[Phase, float] = field(default_factory=dict)
    status: int = 0
    version: str = ""
    content_length: int = -1
    body: bytes = b""
    cut: bool = False
    """Whether there was more body than was read."""
    redirects: int = 0
    ip_version: int = 0
    tls: bool = False
    cert_expiry: float | None = None


class Failure(StrEnum):
    """Why an answer that came is no good one."""

    STATUS = "unexpected status"
    MISSING = "body does not match"
    FORBIDDEN = "body matches what it must not"


def judge(check: HttpCheck, reading: HttpReading) -> Failure | None:
    """What is wrong with an answer; None when it is good."""
    good = (
        reading.status in check.valid_status
        if check.valid_status
        else (200 <= reading.status < 300)
    )
    if not good:
        return Failure.STATUS
    text = reading.body.decode("utf-8", "replace")
    if check.body_matches and not re.search(check.body_matches, text):
        return Failure.MISSING
    if check.body_must_not_match and re.search(check.body_must_not_match, text):
        return Failure.FORBIDDEN
    return None


def observe_http(check: HttpCheck, reading: HttpReading, named: Naming) -> Observation:
    """blackbox_exporter's samples and one check result."""
    failure = None if reading.error else judge(check, reading)
    success = not reading.error and failure is None
    own = ("check", check.name)
    samples = tuple(
        (named(metric, own, *labels), value)
        for metric, value, *labels in _figures(reading, success, failure)
    )
    result = CheckResult(
        instance=check.url,
        check=check.name,
        target=check.url,
        status=CheckStatus.HEALTHY if success else CheckStatus.UNHEALTHY,
        at=reading.at,
        duration=reading.duration,
        message=_message(reading, failure),
        labels={"instance": check.url, "job": check.name, "check": check.name},
    )
    return Observation(reading.at, samples, result)


def _figures(
    reading: HttpReading, success: bool, failure: Failure | None
) -> Iterator[tuple[str, float] | tuple[str, float, tuple[str, str]]]:
    yield "probe_success", float(success)
    yield "probe_duration_seconds", reading.duration
    yield "probe_dns_lookup_time_seconds", reading.phases.get(Phase.RESOLVE, 0.0)
    yield "probe_ip_protocol", float(reading.ip_version)
    yield "probe_http_status_code", float(reading.status)
    yield "probe_http_content_length", float(reading.content_length)
    yield "probe_http_uncompressed_body_length", float(len(reading.body))
    yield "probe_http_redirects", float(reading.redirects)
    yield "probe_http_ssl", float(reading.tls)
    yield "probe_http_version", _version(reading.version)
    yield "probe_failed_due_to_regex", float(failure in (Failure.MISSING, Failure.FORBIDDEN))
    for phase in Phase:
        yield "probe_http_duration_seconds", reading.phases.get(phase, 0.0), ("phase", phase.value)
    if reading.cert_expiry is not None:
        yield "probe_ssl_earliest_cert_expiry", reading.cert_expiry


def _version(text: str) -> float:
    number = text.removeprefix("HTTP/")
    return float(number) if re.fullmatch(r"\d(\.\d)?", number) else 0.0


def _message(reading: HttpReading, failure: Failure | None) -> str:
    said = f"HTTP {reading.status}" if reading.status else ""
    if reading.error:
        said = f"{said}: {reading.error}" if said else reading.error
    elif failure is Failure.STATUS:
        said = f"{failure}: {said}"
    elif failure is not None:
        cut = f" (in the first {len(reading.body)} bytes)" if reading.cut else ""
        said = f"{said}: {failure}{cut}"
    return clean("".join(c if c.isprintable() else " " for c in said))[:MAX_MESSAGE]

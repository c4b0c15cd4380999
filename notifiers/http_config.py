"""`http_config:` as channels over HTTP have it, and the URLs they may call."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from notifiers.yaml_reader import Section

_LATER = frozenset(
    [
        "basic_auth",
        "bearer_token",
        "bearer_token_file",
        "oauth2",
        "tls_config",
        "proxy_url",
        "no_proxy",
        "proxy_from_environment",
        "proxy_connect_header",
        "enable_http2",
        "follow_redirects",
    ]
)


@dataclass(frozen=True, slots=True, repr=False)
class HttpConfig:
    """How requests are made; its repr shows no secret."""

    headers: tuple[tuple[str, str], ...] = ()
    authorization: tuple[str, str, str] | None = None
    """Type, credentials, and the file of the credentials."""


def read_http(found: Section | None) -> HttpConfig | None:
    """The section, None where it is missing."""
    if found is None:
        return None
    authorization = _authorization(found.section("authorization"))
    headers = _headers(found.section("http_headers"))
    found.close(_LATER)
    return HttpConfig(headers, authorization)


def http_url(text: str) -> str:
    """The URL, if it is one of http or https; the message never repeats it, for it is a secret.

    Raises ValueError.
    """
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise ValueError("not a URL") from fault
    if parts.scheme not in ("http", "https"):
        raise ValueError(f'unsupported scheme "{parts.scheme[:20]}" for URL')
    if not host:
        raise ValueError("missing host for URL")
    if any(ord(char) <= 32 or ord(char) == 127 for char in text.strip()):
        raise ValueError("the URL contains white space or control characters")
    return text.strip()


def _authorization(found: Section | None) -> tuple[str, str, str] | None:
    if found is None:
        return None
    kind = found.text("type") or "Bearer"
    credentials, file = found.text("credentials") or "", found.text("credentials_file") or ""
    found.close()
    if kind.lower() == "basic":
        found.problem("type", 'authorization type cannot be set to "basic"')
    if bool(credentials) == bool(file):
        found.problem("credentials", "one of credentials or credentials_file is wanted")
    if not _is_header(credentials) or not _is_header(kind):
        found.problem("credentials", "not a header's value")
    return kind, credentials, file


def _headers(found: Section | None) -> tuple[tuple[str, str], ...]:
    if found is None:
        return ()
    pairs = []
    for name in found.items:
        one = found.section(name)
        if one is None:
            continue
        values = [text for text, _ in one.texts("values")]
        one.close(frozenset({"secrets", "files"}))
        if not name.replace("-", "").isalnum() or not all(map(_is_header, values)):
            found.problem(name, "not a header")
        pairs += [(name, value) for value in values]
    return tuple(pairs)


def _is_header(value: str) -> bool:
    return value.isascii() and value.isprintable()

"""`http_config:` as channels over HTTP have it, and the URLs they may call."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from notifiers.channels.tls_config import TlsConfig, read_tls
from notifiers.yaml_reader import Section

_LATER = frozenset({"oauth2"})
_PROXIES = ("proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header")
_RESERVED = frozenset(
    [
        *("authorization", "host", "content-encoding", "content-length", "content-type"),
        *("user-agent", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("www-authenticate", "accept-encoding", "transfer-encoding"),
        *("idempotency-key", "x-tocsin-delivery", "x-tocsin-attempt", "x-tocsin-signature"),
    ]
)
"""Headers that a request has of its own: Alertmanager's list, and ours."""
_NAME = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_ONE_OF = "at most one of basic_auth, authorization, bearer_token & bearer_token_file is wanted"


@dataclass(frozen=True, slots=True, repr=False)
class BasicAuth:
    """Of each pair at most one is set; a file is read at every request."""

    username: str = ""
    username_file: str = ""
    password: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class HttpConfig:
    """How requests are made; its repr shows no secret."""

    headers: tuple[tuple[str, str], ...] = ()
    authorization: tuple[str, str, str] | None = None
    """Type, credentials, and the file of the credentials."""
    basic: BasicAuth | None = None
    header_files: tuple[tuple[str, str], ...] = ()
    """Headers whose value a file holds, by name."""
    tls: TlsConfig | None = None


def read_http(found: Section | None) -> HttpConfig | None:
    """The section, None where it is missing."""
    if found is None:
        return None
    authorization = _authorization(found.section("authorization"))
    bearer = _bearer(found)
    basic = _basic(found.section("basic_auth"))
    if sum(one is not None for one in (authorization, bearer, basic)) > 1:
        found.problem("authorization", _ONE_OF)
    headers, files = _headers(found.section("http_headers"))
    tls = read_tls(found.section("tls_config"))
    # Alertmanager's defaults, which stand in every file that it prints: neither changes anything.
    found.boolean("enable_http2")
    found.boolean("follow_redirects")
    for key in _PROXIES:
        if found.value(key) is not None:
            message = "proxies are not used: the address that is connected to would go unchecked"
            found.problem(key, message, "remove it, and list the network in delivery.allow")
    found.close(_LATER)
    return HttpConfig(headers, authorization or bearer, basic, files, tls)


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


def is_header(value: str) -> bool:
    """Whether it may stand as a header's value."""
    return value.isascii() and value.isprintable()


def is_header_name(name: str) -> bool:
    """Whether it may stand as a header's name (RFC 9110, 5.6.2)."""
    return bool(name) and set(name.lower()) <= _NAME


def _authorization(found: Section | None) -> tuple[str, str, str] | None:
    if found is None:
        return None
    kind = found.text("type") or "Bearer"
    credentials, file = found.text("credentials") or "", found.text("credentials_file") or ""
    found.close()
    if kind.lower() == "basic":
        message = 'authorization type cannot be set to "basic", use "basic_auth" instead'
        found.problem("type", message)
    if bool(credentials) == bool(file):
        found.problem("credentials", "one of credentials or credentials_file is wanted")
    if not is_header(credentials) or not is_header(kind):
        found.problem("credentials", "not a header's value")
    return kind, credentials, file


def _bearer(found: Section) -> tuple[str, str, str] | None:
    """Alertmanager's older way to write `authorization`."""
    token, file = found.text("bearer_token") or "", found.text("bearer_token_file") or ""
    if token and file:
        message = "at most one of bearer_token & bearer_token_file must be configured"
        found.problem("bearer_token", message)
    if not is_header(token):
        found.problem("bearer_token", "not a header's value")
    return ("Bearer", token, file) if token or file else None


def _basic(found: Section | None) -> BasicAuth | None:
    if found is None:
        return None
    keys = ("username", "username_file", "password", "password_file")
    name, name_file, password, password_file = (found.text(key) or "" for key in keys)
    found.close(frozenset({"username_ref", "password_ref"}))
    for key, value, file in (
        ("username", name, name_file),
        ("password", password, password_file),
    ):
        if value and file:
            found.problem(key, f"at most one of basic_auth {key} & {key}_file must be configured")
    if ":" in name:
        found.problem("username", "a user's name with a colon cannot be sent")
    return BasicAuth(name, name_file, password, password_file)


Pairs = tuple[tuple[str, str], ...]


def _headers(found: Section | None) -> tuple[Pairs, Pairs]:
    """Headers with values, and with files of values."""
    if found is None:
        return (), ()
    pairs: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    for name in found.items:
        one = found.section(name)
        if one is None:
            continue
        values = [text for key in ("values", "secrets") for text, _ in one.texts(key)]
        files += [(name, file) for file, _ in one.texts("files")]
        one.close()
        if not is_header_name(name) or not all(map(is_header, values)):
            found.problem(name, "not a header")
        elif name.lower() in _RESERVED:
            found.problem(name, f'setting header "{name}" is not allowed')
        pairs += [(name, value) for value in values]
    return tuple(pairs), tuple(files)

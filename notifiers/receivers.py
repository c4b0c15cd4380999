"""Receivers and their channels as the configuration gives them."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from notifiers.yaml_reader import Section

_LATER_CHANNELS = frozenset(
    f"{kind}_configs"
    for kind in [
        "discord",
        "email",
        "incidentio",
        "pagerduty",
        "slack",
        "opsgenie",
        "wechat",
        "pushover",
        "victorops",
        "sns",
        "telegram",
        "webex",
        "msteams",
        "msteamsv2",
        "jira",
        "rocketchat",
        "mattermost",
    ]
)
_LATER_HTTP = frozenset(
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


class ChannelKind(StrEnum):
    """The kinds of channel that can be configured."""

    WEBHOOK = "webhook"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """One integration of a receiver, as far as the router cares."""

    kind: ChannelKind
    send_resolved: bool = True
    max_alerts: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class WebhookConfig(ChannelConfig):
    """A webhook; its repr shows no secret. `timeout` in ms, 0 for the default."""

    url: str = ""
    url_file: str = ""
    timeout: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    authorization: tuple[str, str, str] | None = None
    """Type, credentials, and the file of the credentials."""

    def __repr__(self) -> str:
        return f"WebhookConfig(send_resolved={self.send_resolved}, url=***)"


@dataclass(frozen=True, slots=True)
class FileConfig(ChannelConfig):
    """A file of JSON lines."""

    path: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A named list of channels; a channel's number is its place in `channels`."""

    name: str
    channels: tuple[WebhookConfig | FileConfig, ...] = ()
    line: int = 0


def read_receiver(found: Section) -> Receiver | None:
    """One entry of `receivers:`."""
    name = found.text("name")
    channels: list[WebhookConfig | FileConfig] = [
        *filter(None, map(_webhook, found.sections("webhook_configs"))),
        *filter(None, map(_file, found.sections("file_configs"))),
    ]
    found.close(_LATER_CHANNELS)
    if not name or len(name) > 1_024:
        found.problem("name", "missing name in receiver" if not name else "the name is too long")
        return None
    return Receiver(name, tuple(channels), found.line("name"))


def _webhook(found: Section) -> WebhookConfig | None:
    url = found.parsed("url", http_url)
    url_file = found.text("url_file")
    http = found.section("http_config")
    headers: tuple[tuple[str, str], ...] = ()
    authorization = None
    if http is not None:
        authorization = _authorization(http.section("authorization"))
        headers = _headers(http.section("http_headers"))
        http.close(_LATER_HTTP)
    config = WebhookConfig(
        ChannelKind.WEBHOOK,
        send_resolved=found.boolean("send_resolved") is not False,
        max_alerts=found.number("max_alerts") or 0,
        url=url or "",
        url_file=url_file or "",
        timeout=found.duration("timeout") or 0,
        headers=headers,
        authorization=authorization,
    )
    found.close(frozenset({"payload"}))
    if "url" not in found.items and not url_file:
        found.problem("url", "one of url or url_file must be configured")
    elif "url" in found.items and url_file:
        found.problem("url", "at most one of url & url_file must be configured")
    return config


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


def _file(found: Section) -> FileConfig | None:
    path = found.text("path")
    config = FileConfig(
        ChannelKind.FILE,
        send_resolved=found.boolean("send_resolved") is not False,
        max_alerts=found.number("max_alerts") or 0,
        path=path or "",
    )
    found.close()
    hint = 'write for example "notifications.jsonl", for DATA/deliveries/notifications.jsonl'
    if not path:
        found.problem("path", "missing path of the file", hint)
    elif not _stays_inside(path):
        found.problem("path", f'"{path[:60]}" is not a path inside the deliveries folder', hint)
    return config


def _stays_inside(path: str) -> bool:
    """Whether it names a file below the folder that it is relative to."""
    parts = path.split("/")
    return path.isprintable() and not {"", ".", ".."} & set(parts)

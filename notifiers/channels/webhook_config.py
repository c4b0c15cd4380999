"""`webhook_configs:`"""

from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import checked
from notifiers.channels.tree import Tree, read_tree
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, is_header_name, read_http
from notifiers.yaml_reader import Section

SIGNATURE = "X-Tocsin-Signature"


@dataclass(frozen=True, slots=True, repr=False)
class Hmac:
    """How bodies are signed (ours): with SHA-256, in this header; its repr shows no secret."""

    secret: str = ""
    secret_file: str = ""
    header: str = SIGNATURE


@dataclass(frozen=True, slots=True, repr=False)
class WebhookConfig(ChannelConfig):
    """A webhook; its repr shows no secret. `timeout` in ms, 0 for the default.

    `url` may be a template, and so may the texts of `payload`, which takes the body's place.
    """

    url: str = ""
    url_file: str = ""
    timeout: int = 0
    http: HttpConfig = field(default_factory=HttpConfig)
    hmac: Hmac | None = None
    payload: Tree = None

    def __repr__(self) -> str:
        return f"WebhookConfig(send_resolved={self.send_resolved}, url=***)"


def read(found: Section, defaults: Global) -> WebhookConfig:
    """One entry; what is wrong with it is noted there."""
    url = found.parsed("url", _template_url)
    url_file = found.text("url_file")
    http = read_http(found.section("http_config")) or defaults.http or HttpConfig()
    config = WebhookConfig(
        ChannelKind.WEBHOOK,
        send_resolved=sends_resolved(found, ChannelKind.WEBHOOK),
        max_alerts=found.number("max_alerts") or 0,
        url=url or "",
        url_file=url_file or "",
        timeout=found.duration("timeout") or 0,
        http=http,
        hmac=_hmac(found.section("hmac")),
        payload=read_tree(found, "payload", checked) or None,
    )
    found.close()
    if "url" not in found.items and not url_file:
        found.problem("url", "one of url or url_file must be configured")
    elif "url" in found.items and url_file:
        found.problem("url", "at most one of url & url_file must be configured")
    return config


def _template_url(text: str) -> str:
    """A URL, or a template of one, which is looked at once it is filled in."""
    return checked(text.strip()) if "{{" in text else http_url(text)


def _hmac(found: Section | None) -> Hmac | None:
    if found is None:
        return None
    secret, file = found.text("secret") or "", found.text("secret_file") or ""
    header, algorithm = found.text("header") or SIGNATURE, found.text("algorithm") or "sha256"
    found.close()
    if bool(secret) == bool(file):
        found.problem("secret", "one of secret or secret_file is wanted")
    if not is_header_name(header):
        found.problem("header", "not a header's name")
    if algorithm != "sha256":
        found.problem("algorithm", f'sha256 is the only algorithm, not "{algorithm[:20]}"')
    return Hmac(secret, file, header)

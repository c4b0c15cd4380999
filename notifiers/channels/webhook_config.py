"""`webhook_configs:`"""

from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section


@dataclass(frozen=True, slots=True, repr=False)
class WebhookConfig(ChannelConfig):
    """A webhook; its repr shows no secret. `timeout` in ms, 0 for the default."""

    url: str = ""
    url_file: str = ""
    timeout: int = 0
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"WebhookConfig(send_resolved={self.send_resolved}, url=***)"


def read(found: Section, defaults: Global) -> WebhookConfig:
    """One entry; what is wrong with it is noted there."""
    url = found.parsed("url", http_url)
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
    )
    found.close(frozenset({"payload"}))
    if "url" not in found.items and not url_file:
        found.problem("url", "one of url or url_file must be configured")
    elif "url" in found.items and url_file:
        found.problem("url", "at most one of url & url_file must be configured")
    return config

"""`msteamsv2_configs:`: Microsoft Teams by a workflow's webhook."""

from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import templated
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section


@dataclass(frozen=True, slots=True, repr=False)
class TeamsConfig(ChannelConfig):
    """A channel of Teams; its repr shows no secret. `title` and `text` are templates."""

    webhook_url: str = ""
    webhook_url_file: str = ""
    title: str = '{{ template "msteamsv2.default.title" . }}'
    text: str = '{{ template "msteamsv2.default.text" . }}'
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"TeamsConfig(send_resolved={self.send_resolved}, webhook_url=***)"


def read(found: Section, defaults: Global) -> TeamsConfig:
    """One entry; what is wrong with it is noted there."""
    plain = TeamsConfig(ChannelKind.TEAMS)
    url, file = found.parsed("webhook_url", http_url), found.text("webhook_url_file")
    config = TeamsConfig(
        ChannelKind.TEAMS,
        send_resolved=sends_resolved(found, ChannelKind.TEAMS),
        max_alerts=found.number("max_alerts") or 0,
        webhook_url=url or "",
        webhook_url_file=file or "",
        title=templated(found, "title", plain.title),
        text=templated(found, "text", plain.text),
        http=read_http(found.section("http_config")) or defaults.http or HttpConfig(),
    )
    found.close()
    if "webhook_url" not in found.items and not file:
        message = "one of webhook_url or webhook_url_file must be configured"
        found.problem("webhook_url", message)
    elif "webhook_url" in found.items and file:
        message = "at most one of webhook_url & webhook_url_file must be configured"
        found.problem("webhook_url", message)
    return config

"""`pagerduty_configs:`"""

from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import checked, secret_template, templated
from notifiers.channels.tree import Tree, read_tree
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section

URL = "https://events.pagerduty.com/v2/enqueue"
CLIENT = '{{ template "pagerduty.default.client" . }}'
DETAILS: dict[str, Tree] = {
    "firing": "{{ .Alerts.Firing | toJson }}",
    "resolved": "{{ .Alerts.Resolved | toJson }}",
    "num_firing": "{{ .Alerts.Firing | len }}",
    "num_resolved": "{{ .Alerts.Resolved | len }}",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link, or with `src` an image; all are templates."""

    href: str = ""
    text: str = ""
    src: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class PagerDutyConfig(ChannelConfig):
    """An integration of the Events API v2; its repr shows no secret. `timeout` in ms."""

    routing_key: str = ""
    routing_key_file: str = ""
    url: str = URL
    client: str = CLIENT
    client_url: str = '{{ template "pagerduty.default.clientURL" . }}'
    description: str = '{{ template "pagerduty.default.description" . }}'
    severity: str = "error"
    source: str = CLIENT
    class_: str = ""
    component: str = ""
    group: str = ""
    details: dict[str, Tree] = field(default_factory=lambda: dict(DETAILS))
    images: tuple[Link, ...] = ()
    links: tuple[Link, ...] = ()
    timeout: int = 0
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"PagerDutyConfig(send_resolved={self.send_resolved}, routing_key=***)"


def read(found: Section, defaults: Global) -> PagerDutyConfig:
    """One entry; what is wrong with it is noted there."""
    plain = PagerDutyConfig(ChannelKind.PAGERDUTY)
    client = templated(found, "client", plain.client)
    config = PagerDutyConfig(
        ChannelKind.PAGERDUTY,
        send_resolved=sends_resolved(found, ChannelKind.PAGERDUTY),
        max_alerts=found.number("max_alerts") or 0,
        routing_key=secret_template(found, "routing_key"),
        routing_key_file=found.text("routing_key_file") or "",
        url=found.parsed("url", http_url) or _default_url(found, defaults),
        client=client,
        client_url=templated(found, "client_url", plain.client_url),
        description=templated(found, "description", plain.description),
        severity=templated(found, "severity") or plain.severity,
        source=templated(found, "source") or client,
        class_=templated(found, "class"),
        component=templated(found, "component"),
        group=templated(found, "group"),
        details={**DETAILS, **read_tree(found, "details", checked)},
        images=tuple(_link(one, "href", "alt", "src") for one in found.sections("images")),
        links=tuple(_link(one, "href", "text") for one in found.sections("links")),
        timeout=found.duration("timeout") or 0,
        http=read_http(found.section("http_config")) or defaults.http or HttpConfig(),
    )
    _refuse_version_1(found)
    found.close()
    if config.routing_key and config.routing_key_file:
        message = "at most one of routing_key & routing_key_file must be configured"
        found.problem("routing_key", message)
    elif not config.routing_key and not config.routing_key_file:
        found.problem("routing_key", "missing routing key in PagerDuty config")
    return config


def _default_url(found: Section, defaults: Global) -> str:
    try:
        return http_url(defaults.get("pagerduty_url") or URL)
    except ValueError as fault:
        found.problem("url", f"pagerduty_url in global: {fault}")
        return URL


def _refuse_version_1(found: Section) -> None:
    hint = "make an integration of Events API v2 in PagerDuty and put its key under routing_key"
    for key in ("service_key", "service_key_file"):
        if found.value(key) is not None:
            found.problem(key, "PagerDuty's Events API v1 is not served", hint)


def _link(found: Section, href: str, text: str, src: str = "") -> Link:
    link = Link(
        templated(found, href), templated(found, text), templated(found, src) if src else ""
    )
    found.close()
    return link

"""`jira_configs:`"""

from dataclasses import dataclass, field

import yaml

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import checked, templated, templates
from notifiers.channels.tree import Tree, read_tree
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section

TYPES = ("auto", "cloud", "datacenter")


@dataclass(frozen=True, slots=True)
class Field:
    """A field's template, and whether an issue that is there already gets it anew."""

    template: str = ""
    update: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class JiraConfig(ChannelConfig):
    """A project; its repr shows no secret. `reopen_duration` in ms; the texts are templates.

    `comment` (ours) is written below an issue that is there already, unless it is empty.
    """

    api_url: str = ""
    api_type: str = "auto"
    project: str = ""
    issue_type: str = ""
    summary: Field = Field('{{ template "jira.default.summary" . }}')
    description: Field = Field('{{ template "jira.default.description" . }}')
    priority: str = '{{ template "jira.default.priority" . }}'
    labels: tuple[str, ...] = ()
    comment: str = ""
    resolve_transition: str = ""
    reopen_transition: str = ""
    reopen_duration: int = 0
    wont_fix_resolution: str = ""
    fields: dict[str, Tree] = field(default_factory=dict)
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"JiraConfig(project={self.project!r}, api_url=***)"


def read(found: Section, defaults: Global) -> JiraConfig:
    """One entry; what is wrong with it is noted there."""
    plain = JiraConfig(ChannelKind.JIRA)
    config = JiraConfig(
        ChannelKind.JIRA,
        send_resolved=sends_resolved(found, ChannelKind.JIRA),
        max_alerts=found.number("max_alerts") or 0,
        api_url=_api_url(found, defaults),
        api_type=found.parsed("api_type", _api_type) or "auto",
        project=templated(found, "project"),
        issue_type=templated(found, "issue_type"),
        summary=_field(found, "summary", plain.summary),
        description=_field(found, "description", plain.description),
        priority=templated(found, "priority", plain.priority),
        labels=templates(found, "labels"),
        comment=templated(found, "comment"),
        resolve_transition=found.text("resolve_transition") or "",
        reopen_transition=found.text("reopen_transition") or "",
        reopen_duration=found.duration("reopen_duration") or 0,
        wont_fix_resolution=found.text("wont_fix_resolution") or "",
        fields=read_tree(found, "fields", checked),
        http=read_http(found.section("http_config")) or defaults.http or HttpConfig(),
    )
    found.close()
    for key in ("project", "issue_type"):
        if not found.text(key):
            found.problem(key, f"missing {key} in jira_config")
    return config


def _api_url(found: Section, defaults: Global) -> str:
    if "api_url" in found.items:
        return found.parsed("api_url", http_url) or ""
    try:
        return http_url(defaults.get("jira_api_url"))
    except ValueError as fault:
        said = defaults.get("jira_api_url")
        message = f"jira_api_url in global: {fault}" if said else "no global Jira Cloud URL set"
        found.problem("api_url", message)
        return ""


def _api_type(text: str) -> str:
    if text not in TYPES:
        raise ValueError("unknown api_type on jira_config, must be auto, cloud or datacenter")
    return text


def _field(found: Section, key: str, default: Field) -> Field:
    """A template, or a section with one."""
    node = found.value(key)
    if node is None or isinstance(node, yaml.ScalarNode):
        return Field(templated(found, key, default.template))
    inner = found.section(key)
    if inner is None:
        return default
    update = inner.boolean("enable_update")
    made = Field(templated(inner, "template", default.template), update is not False)
    inner.close()
    return made

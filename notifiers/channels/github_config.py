"""`github_configs:` (ours): one issue for each group, and a status on a commit."""

import re
from dataclasses import dataclass, field, replace

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.channels.templated import templated, templates
from notifiers.global_config import Global
from notifiers.http_config import HttpConfig, http_url, read_http
from notifiers.yaml_reader import Section

API_URL = "https://api.github.com"
_REPO = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """`sha_label` names the label that holds the commit's id."""

    sha_label: str = ""
    context: str = "tocsin"


@dataclass(frozen=True, slots=True, repr=False)
class GitHubConfig(ChannelConfig):
    """A repository; its repr shows no secret. `title`, `body` and `labels` are templates."""

    api_url: str = API_URL
    repo: str = ""
    title: str = '{{ template "jira.default.summary" . }}'
    body: str = '{{ template "jira.default.description" . }}'
    labels: tuple[str, ...] = ()
    issues: bool = True
    status: CommitStatus | None = None
    http: HttpConfig = field(default_factory=HttpConfig)

    def __repr__(self) -> str:
        return f"GitHubConfig(repo={self.repo!r}, token=***)"


def read(found: Section, defaults: Global) -> GitHubConfig:
    """One entry; what is wrong with it is noted there."""
    plain = GitHubConfig(ChannelKind.GITHUB)
    http = read_http(found.section("http_config")) or defaults.http or HttpConfig()
    token, file = found.text("token") or "", found.text("token_file") or ""
    if bool(token) == bool(file):
        found.problem("token", "one of token or token_file must be configured")
    if http.authorization or http.basic:
        message = "a token and an authorization in http_config exclude one another"
        found.problem("http_config", message)
    said = found.boolean("issues")
    config = GitHubConfig(
        ChannelKind.GITHUB,
        send_resolved=sends_resolved(found, ChannelKind.GITHUB),
        max_alerts=found.number("max_alerts") or 0,
        api_url=found.parsed("api_url", http_url) or API_URL,
        repo=found.parsed("repo", _repo) or "",
        title=templated(found, "title", plain.title),
        body=templated(found, "body", plain.body),
        labels=templates(found, "labels"),
        issues=True if said is None else said,
        status=_status(found.section("commit_status")),
        http=replace(http, authorization=("Bearer", token, file)),
    )
    found.close()
    if "repo" not in found.items:
        found.problem("repo", "missing repo in github_config", "write for example owner/name")
    if not config.issues and config.status is None:
        found.problem("issues", "neither issues nor commit_status: nothing would be told")
    return config


def _repo(text: str) -> str:
    if _REPO.fullmatch(text) is None or {".", ".."} & set(text.split("/")):
        raise ValueError(f'owner/name is wanted, not "{text[:60]}"')
    return text


def _status(found: Section | None) -> CommitStatus | None:
    if found is None:
        return None
    status = CommitStatus(found.text("sha_label") or "", found.text("context") or "tocsin")
    found.close()
    if not status.sha_label:
        found.problem("sha_label", "missing sha_label: the label that holds the commit's id")
    return status

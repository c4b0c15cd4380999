"""Jira by its REST API, versions 2 and 3: one issue for each group."""

import json
from hashlib import sha256
from urllib.parse import quote, urlsplit

from notifiers.channels.calls import Calls, members, not_understood, part
from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.cut import cut
from notifiers.channels.http import Caller
from notifiers.channels.jira_config import JiraConfig
from notifiers.channels.texts import Texts
from notifiers.channels.tree import Tree, filled
from notifiers.templating import Templates
from schemas.alerts import AlertState
from schemas.deliveries import Delivery

SUMMARY, DESCRIPTION = 255, 32_767
"""Jira's limits, in characters."""
HEADERS = {"Accept-Language": "en"}


class Jira:
    """Opens an issue when a group fires, updates it as the group changes, and moves it at the end.

    The group's issue has Alertmanager's label, so that issues opened by an Alertmanager are found.
    """

    def __init__(self, config: JiraConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates

    def send(self, message: Message) -> None:
        """Make the issue say what the group says."""
        delivery = message.delivery
        calls = Calls(self._caller, self._config.api_url, message, HEADERS)
        texts = Texts(self._templates, delivery)
        firing = any(alert.state is AlertState.FIRING for alert in delivery.alerts)
        found = self._existing(calls, texts, firing)
        if found is None:
            if firing:
                calls.ask("POST", "issue", {"fields": self._fields(texts, found)})
            return
        key = part(found, "key")
        if not isinstance(key, str) or not key:
            raise not_understood()
        path = f"issue/{quote(key, safe='')}"
        calls.ask("PUT", path, {"fields": self._fields(texts, found)})
        self._move(calls, path, found, firing)
        if said := texts.text(self._config.comment).strip():
            # The last, so that a try after it failed does not repeat it.
            calls.ask("POST", f"{path}/comment", {"body": self._comment(said)})

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()

    def _existing(self, calls: Calls, texts: Texts, firing: bool) -> Tree:
        """The group's issue: the open one, or one resolved lately that may be opened again."""
        config = self._config
        base, path = search_address(config)
        body: Tree = {
            "jql": query(config, texts.text(config.project), texts.delivery, firing),
            "maxResults": 2,
            "fields": ["status"],
        }
        search = Calls(
            self._caller, base, calls.message, calls.headers, calls.understood, calls.began
        )
        issues = members(part(search.ask("POST", path, body), "issues"))
        return issues[0] if issues else None

    def _fields(self, texts: Texts, found: Tree) -> Tree:
        config = self._config
        labels: list[Tree] = [*map(texts.text, config.labels), group_label(texts.delivery)]
        fields: dict[str, Tree] = {
            "project": {"key": texts.text(config.project)},
            "issuetype": {"name": texts.text(config.issue_type)},
            "labels": sorted(labels, key=str),
        }
        if found is None or config.summary.update:
            summary = " ".join(texts.text(config.summary.template).split())
            fields["summary"] = cut(summary, SUMMARY)
        if found is None or config.description.update:
            fields |= self._description(texts.text(config.description.template))
        if priority := texts.text(config.priority).strip():
            fields["priority"] = {"name": priority}
        own = filled(config.fields, texts.text)
        return fields | (own if isinstance(own, dict) else {})

    @property
    def _is_version_3(self) -> bool:
        return urlsplit(self._config.api_url).path.rstrip("/").endswith("/3")

    def _comment(self, text: str) -> Tree:
        """A text for version 2, a document of one paragraph for version 3."""
        short = cut(text, DESCRIPTION)
        if not self._is_version_3:
            return short
        words: list[Tree] = [{"type": "text", "text": short}]
        paragraphs: list[Tree] = [{"type": "paragraph", "content": words}]
        return {"type": "doc", "version": 1, "content": paragraphs}

    def _description(self, text: str) -> dict[str, Tree]:
        """A text for version 2; for version 3 the template must make a document, as JSON."""
        if self._is_version_3:
            if not text.strip():
                return {}
            try:
                return {"description": json.loads(text)}
            except (ValueError, RecursionError):
                detail = "description template: invalid JSON for API v3"
                raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None
        return {"description": cut(text, DESCRIPTION)} if text else {}

    def _move(self, calls: Calls, path: str, found: Tree, firing: bool) -> None:
        """Resolve or open again, by the name of the transition."""
        category = part(found, "fields", "status", "statusCategory", "key")
        done = category == "done"
        config = self._config
        wanted = config.reopen_transition if firing else config.resolve_transition
        if category is None or done is not firing or not wanted:
            return
        listed = members(part(calls.ask("GET", f"{path}/transitions"), "transitions"))
        number = next((part(one, "id") for one in listed if part(one, "name") == wanted), None)
        if number is None:
            detail = f'the issue has no transition "{wanted[:60]}"'
            raise DeliveryFailed(Failure.REJECTED, retry=False, detail=detail)
        calls.ask("POST", f"{path}/transitions", {"transition": {"id": number}})


def group_label(delivery: Delivery) -> str:
    """The label of a group's issues, as Alertmanager writes it."""
    return f"ALERT{{{sha256(delivery.group_key.encode()).hexdigest()}}}"


def query(config: JiraConfig, project: str, delivery: Delivery, firing: bool) -> str:
    """The search for a group's issue, in JQL."""
    parts = []
    if config.wont_fix_resolution:
        # `!=` alone leaves out what has no resolution, and so every open issue.
        parts.append(
            f"(resolution is EMPTY or resolution != {_quoted(config.wont_fix_resolution)})"
        )
    minutes = config.reopen_duration // 60_000
    if firing and config.reopen_transition and minutes:
        parts.append(f"(resolutiondate is EMPTY OR resolutiondate >= -{minutes}m)")
    else:
        parts.append("statusCategory != Done")
    parts += [f"project={_quoted(project)}", f"labels={_quoted(group_label(delivery))}"]
    return f"{' and '.join(parts)} order by status ASC,resolutiondate DESC"


def search_address(config: JiraConfig) -> tuple[str, str]:
    """Where to search: Jira Cloud has it in version 3 alone, Data Center in version 2."""
    host = urlsplit(config.api_url).hostname or ""
    cloud = config.api_type == "cloud" or (
        config.api_type == "auto" and host.endswith("atlassian.net")
    )
    if not cloud:
        return config.api_url, "search"
    base = f"{config.api_url.rstrip('/')}/"
    return base.replace("/rest/api/2/", "/rest/api/3/", 1), "search/jql"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

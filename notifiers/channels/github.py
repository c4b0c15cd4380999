"""GitHub by its REST API: one issue for each group, and the status of a commit."""

import re
from hashlib import sha256

from notifiers.channels.calls import Calls, members, not_understood, part
from notifiers.channels.channel import Message
from notifiers.channels.cut import cut
from notifiers.channels.github_config import CommitStatus, GitHubConfig
from notifiers.channels.http import Caller
from notifiers.channels.http_wire import Answer
from notifiers.channels.texts import Texts
from notifiers.channels.tree import Tree
from notifiers.templating import Templates
from schemas.alerts import AlertState
from schemas.deliveries import Delivery

TITLE, BODY, LABEL, DESCRIPTION, LABELS = 256, 30_000, 50, 140, 100
"""At most GitHub's limits, in characters; a body may have 65,536."""
COMMITS = 10
"""Commits of one group that get a status."""
MOST_READ = 1_048_576
"""An issue comes back with its body."""
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitHub:
    """Opens an issue when a group fires, comments on it as the group changes, closes it at the end.

    The group's issue is the open one with a label made of the group's key. Issues are listed by
    label and not searched for: GitHub's search index lags, and a second try would open a second
    issue. The issue holds the delivery's id, so that the try that opened it is not told twice.
    """

    def __init__(self, config: GitHubConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates

    def send(self, message: Message) -> None:
        """Make the issue, and the status, say what the group says."""
        config, delivery = self._config, message.delivery
        base = f"{config.api_url.rstrip('/')}/repos/{config.repo}"
        calls = Calls(self._caller, base, message, HEADERS, _understood)
        texts = Texts(self._templates, delivery)
        if config.status is not None:
            _tell_commits(calls, config.status, delivery, texts.text(config.title))
        if config.issues:
            self._tell_issue(calls, delivery, texts)

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()

    def _tell_issue(self, calls: Calls, delivery: Delivery, texts: Texts) -> None:
        label = group_label(delivery.group_key)
        found = members(calls.ask("GET", f"issues?state=open&per_page=1&labels={label}"))
        firing = _fires(delivery)
        mark = f"<!-- tocsin {delivery.id} -->"
        body = f"{cut(texts.text(self._config.body).strip(), BODY)}\n\n{mark}"
        if not found:
            if firing:
                own = [cut(texts.text(one).strip(), LABEL) for one in self._config.labels]
                title = cut(" ".join(texts.text(self._config.title).split()), TITLE)
                labels: list[Tree] = [label, *(one for one in own[: LABELS - 1] if one)]
                issue: Tree = {"title": title or label, "body": body, "labels": labels}
                calls.ask("POST", "issues", issue)
            return
        number = part(found[0], "number")
        if not isinstance(number, int):
            raise not_understood()
        if mark not in str(part(found[0], "body")):
            calls.ask("POST", f"issues/{number}/comments", {"body": body})
        if not firing:
            closed: Tree = {"state": "closed", "state_reason": "completed"}
            calls.ask("PATCH", f"issues/{number}", closed)


def group_label(group_key: str) -> str:
    """The label by which a group's issue is found."""
    return f"tocsin-{sha256(group_key.encode()).hexdigest()[:16]}"


def _tell_commits(calls: Calls, config: CommitStatus, delivery: Delivery, title: str) -> None:
    """Red while an alert with this commit in its label fires, green once none does."""
    firing: dict[str, bool] = {}
    for alert in delivery.alerts:
        sha = alert.labels.get(config.sha_label, "")
        if _SHA.fullmatch(sha):
            firing[sha] = firing.get(sha, False) or alert.state is AlertState.FIRING
    for sha, fires in list(firing.items())[:COMMITS]:
        said: dict[str, Tree] = {
            "state": "failure" if fires else "success",
            "context": config.context,
            "description": cut(" ".join(title.split()), DESCRIPTION),
        }
        if delivery.external_url.startswith(("http://", "https://")):
            said["target_url"] = delivery.external_url
        calls.ask("POST", f"statuses/{sha}", said)


def _fires(delivery: Delivery) -> bool:
    return any(alert.state is AlertState.FIRING for alert in delivery.alerts)


def _understood(answer: Answer) -> Answer:
    """GitHub says 403 for its rate limits, too: then with a header that says so."""
    limited = answer.status == 403 and (
        "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    )
    return Answer(429, answer.headers, answer.body) if limited else answer

"""Jira and GitHub: one issue for each group, from its first page to its end."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.config import ChannelKind
from notifiers.channels.github import MOST_READ, GitHub
from notifiers.channels.github_config import CommitStatus, GitHubConfig
from notifiers.channels.http import Caller
from notifiers.channels.jira import Jira, search_address
from notifiers.channels.jira_config import Field, JiraConfig
from notifiers.http_config import HttpConfig
from notifiers.templating import Templates
from schemas.alerts import AlertState
from tests.support.issue_trackers import FakeGitHub, FakeJira
from tests.unit.notifiers.deliveries import delivery, message
from tests.unit.notifiers.servers import answer, hang_up, serving

SHA = "a" * 40


@contextmanager
def github(tracker: FakeGitHub, **fields: object) -> Iterator[GitHub]:
    with serving(hang_up, tracker.respond) as server:
        config = GitHubConfig(
            ChannelKind.GITHUB,
            api_url=f"http://127.0.0.1:{server.port}",
            repo="owner/name",
            http=HttpConfig(authorization=("Bearer", "t0ken", "")),
            **fields,  # type: ignore[arg-type]
        )
        caller = Caller(config.http, allow=LOOPBACK, now=lambda: 0.0, most_read=MOST_READ)
        yield GitHub(config, caller, Templates())
        caller.close()


@contextmanager
def jira(tracker: FakeJira, version: int = 2, **fields: object) -> Iterator[Jira]:
    with serving(hang_up, tracker.respond) as server:
        config = JiraConfig(
            ChannelKind.JIRA,
            api_url=f"http://127.0.0.1:{server.port}/rest/api/{version}",
            project="OPS",
            issue_type="Bug",
            **fields,  # type: ignore[arg-type]
        )
        caller = Caller(config.http, allow=LOOPBACK, now=lambda: 0.0)
        yield Jira(config, caller, Templates())
        caller.close()


def resolved() -> Message:
    ended = tuple(
        alert.model_copy(update={"state": AlertState.RESOLVED, "ends_at": 1_700_000_060_000})
        for alert in delivery().alerts
    )
    return message(alerts=ended, id="resolved")


def test_github_opens_comments_and_closes_one_issue_for_a_group() -> None:
    tracker = FakeGitHub()
    with github(tracker, labels=("alert",)) as channel:
        channel.send(message())
        channel.send(message(id="second"))
        channel.send(message(group_key="other"))
        channel.send(resolved())
    assert [issue["state"] for issue in tracker.issues] == ["closed", "open"]
    assert {"name": "alert"} in tracker.issues[0]["labels"]
    assert tracker.issues[0]["title"].startswith("[FIRING:1] CPU")
    assert [number for number, _ in tracker.comments] == [1, 1]


def test_github_opens_a_new_issue_when_a_group_fires_again() -> None:
    tracker = FakeGitHub()
    with github(tracker) as channel:
        for one in (message(), resolved(), message(id="again")):
            channel.send(one)
    assert [issue["state"] for issue in tracker.issues] == ["closed", "open"]


def test_github_is_not_told_twice_of_what_opened_the_issue() -> None:
    tracker = FakeGitHub()
    with github(tracker) as channel:
        channel.send(message())
        channel.send(message(attempt=2))
    assert (len(tracker.issues), tracker.comments) == (1, [])


def test_github_hears_nothing_of_a_group_that_never_had_an_issue() -> None:
    tracker = FakeGitHub()
    with github(tracker) as channel:
        channel.send(resolved())
    assert tracker.issues == []


def test_a_commit_is_red_while_an_alert_names_it() -> None:
    tracker = FakeGitHub()
    firing, _ = delivery().alerts
    one = firing.model_copy(update={"labels": {**firing.labels, "commit": SHA}})
    ended = one.model_copy(update={"state": AlertState.RESOLVED, "ends_at": 1_700_000_060_000})
    bad = firing.model_copy(update={"labels": {"commit": "../../x"}})
    status = CommitStatus("commit", "alerts")
    with github(tracker, issues=False, status=status) as channel:
        channel.send(message(alerts=(one, bad)))
        channel.send(message(alerts=(ended,)))
    assert [(sha, said["state"]) for sha, said in tracker.statuses] == [
        (SHA, "failure"),
        (SHA, "success"),
    ]
    assert {said["context"] for _, said in tracker.statuses} == {"alerts"}


def test_githubs_rate_limit_is_a_403_with_a_header() -> None:
    with serving(answer("403 Limit", "X-RateLimit-Remaining: 0\r\nRetry-After: 9\r\n")) as server:
        config = GitHubConfig(ChannelKind.GITHUB, api_url=server.url, repo="owner/name")
        channel = GitHub(config, Caller(HttpConfig(), allow=LOOPBACK, now=lambda: 0.0), Templates())
        with pytest.raises(DeliveryFailed) as caught:
            channel.send(message())
        channel.close()
    assert (caught.value.reason, caught.value.retry_after) == (Failure.RATE_LIMITED, 9.0)


@pytest.mark.parametrize("version", [2, 3])
def test_jira_gets_a_comment_for_each_change_where_it_is_wanted(version: int) -> None:
    tracker = FakeJira()
    own = {"comment": "now {{ .Status }}", "description": Field("{}")}
    with jira(tracker, version, **own, resolve_transition="Done") as channel:
        channel.send(message())
        channel.send(message(id="second"))
        channel.send(resolved())
    assert tracker.comments == [("OPS-1", "now firing"), ("OPS-1", "now resolved")]


def test_jira_gets_no_comment_by_itself() -> None:
    tracker = FakeJira()
    with jira(tracker) as channel:
        channel.send(message())
        channel.send(message(id="second"))
    assert tracker.comments == []


def test_jira_opens_updates_resolves_and_reopens_one_issue() -> None:
    tracker = FakeJira()
    moves = {"resolve_transition": "Done", "reopen_transition": "Reopen"}
    with jira(tracker, **moves, reopen_duration=3_600_000, labels=("alert",)) as channel:
        channel.send(message())
        channel.send(message(id="second"))
        channel.send(resolved())
        channel.send(message(id="again"))
    assert list(tracker.issues) == ["OPS-1"]
    assert tracker.moved == [("OPS-1", "31"), ("OPS-1", "11")]
    [fields] = tracker.issues.values()
    assert fields["project"] == {"key": "OPS"}
    assert fields["issuetype"] == {"name": "Bug"}
    assert "alert" in fields["labels"]
    assert "resolutiondate >= -60m" in tracker.searched[0]
    assert "statusCategory != Done" in tracker.searched[2]


def test_jira_without_a_reopening_opens_a_new_issue() -> None:
    tracker = FakeJira()
    with jira(tracker, resolve_transition="Done") as channel:
        for one in (message(), resolved(), message(id="again")):
            channel.send(one)
    assert list(tracker.issues) == ["OPS-1", "OPS-2"]


def test_a_transition_that_jira_does_not_have_is_said() -> None:
    tracker = FakeJira()
    with jira(tracker, resolve_transition="Finish") as channel:
        channel.send(message())
        with pytest.raises(DeliveryFailed) as caught:
            channel.send(resolved())
    assert (caught.value.retry, caught.value.detail) == (
        False,
        'the issue has no transition "Finish"',
    )


def test_a_quote_in_a_project_does_not_end_the_query() -> None:
    tracker = FakeJira()
    with jira(tracker, wont_fix_resolution='Won"t') as channel:
        channel.send(message())
    assert 'resolution != "Won\\"t")' in tracker.searched[0]


@pytest.mark.parametrize(
    ("url", "kind", "want"),
    [
        ("https://x.atlassian.net/rest/api/2", "auto", "/rest/api/3/search/jql"),
        ("https://x.atlassian.net/rest/api/2", "datacenter", "/rest/api/2/search"),
        ("https://jira.example/rest/api/2/", "cloud", "/rest/api/3/search/jql"),
        ("https://jira.example/rest/api/2/", "auto", "/rest/api/2/search"),
    ],
)
def test_jira_searches_where_its_kind_has_the_search(url: str, kind: str, want: str) -> None:
    config = JiraConfig(ChannelKind.JIRA, api_url=url, api_type=kind)
    base, path = search_address(config)
    assert f"{base.rstrip('/')}/{path}".endswith(want)

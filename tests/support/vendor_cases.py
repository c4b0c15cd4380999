"""The vendors' channels for the shared suite, each beside a server that refuses what it would."""

import json
from pathlib import Path
from typing import Any

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import Channel, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.github import MOST_READ, GitHub
from notifiers.channels.github_config import CommitStatus, GitHubConfig
from notifiers.channels.http import Caller
from notifiers.channels.jira import Jira
from notifiers.channels.jira_config import JiraConfig
from notifiers.channels.pagerduty import PagerDuty
from notifiers.channels.pagerduty_config import PagerDutyConfig
from notifiers.channels.slack import Slack
from notifiers.channels.slack_config import SlackConfig
from notifiers.channels.sms import Sms
from notifiers.channels.sms_config import SmsConfig
from notifiers.channels.teams import Teams
from notifiers.channels.teams_config import TeamsConfig
from notifiers.channels.telegram import Telegram
from notifiers.channels.telegram_config import TelegramConfig
from notifiers.http_config import HttpConfig
from notifiers.templating import Templates
from tests.support.http_case import CANARY, NOW, HttpCase
from tests.support.issue_trackers import FakeGitHub, FakeJira
from tests.unit.notifiers import slack_server, vendors
from tests.unit.notifiers.servers import response

_BEARER = HttpConfig(authorization=("Bearer", CANARY, ""))


def _caller(http: HttpConfig, folder: Path, **more: Any) -> Caller:
    return Caller(http, allow=LOOPBACK, now=lambda: NOW, directory=folder, **more)


def _jira(url: str, folder: Path) -> Channel:
    config = JiraConfig(
        ChannelKind.JIRA,
        api_url=f"{url}/rest/api/2",
        project="OPS",
        issue_type="Bug",
        resolve_transition="Done",
        http=_BEARER,
    )
    return Jira(config, _caller(config.http, folder), Templates())


def _github(url: str, folder: Path) -> Channel:
    status = CommitStatus("commit")
    config = GitHubConfig(
        ChannelKind.GITHUB, api_url=url, repo="owner/name", status=status, http=_BEARER
    )
    return GitHub(config, _caller(config.http, folder, most_read=MOST_READ), Templates())


def _pagerduty(url: str, folder: Path) -> Channel:
    key = CANARY.ljust(32, "x")
    config = PagerDutyConfig(ChannelKind.PAGERDUTY, url=f"{url}/v2/enqueue", routing_key=key)
    return PagerDuty(config, _caller(config.http, folder), Templates())


def _slack(url: str, folder: Path) -> Channel:
    config = SlackConfig(ChannelKind.SLACK, url=f"{url}/services/{CANARY}")
    return Slack(config, _caller(config.http, folder), Templates())


def _slack_incident(url: str, folder: Path) -> Channel:
    config = SlackConfig(
        ChannelKind.SLACK,
        url=f"{url}/api/chat.postMessage",
        texts={"channel": "#ops"},
        update=True,
        thread=True,
        buttons=True,
        http=_BEARER,
    )
    return Slack(config, _caller(config.http, folder), Templates())


def _teams(url: str, folder: Path) -> Channel:
    config = TeamsConfig(ChannelKind.TEAMS, webhook_url=f"{url}/workflows/x?sig={CANARY}")
    return Teams(config, _caller(config.http, folder), Templates())


def _telegram(url: str, folder: Path) -> Channel:
    config = TelegramConfig(ChannelKind.TELEGRAM, api_url=url, bot_token=f"1:{CANARY}", chat_id=7)
    return Telegram(config, _caller(config.http, folder), Templates())


def _sms(url: str, folder: Path) -> Channel:
    config = SmsConfig(
        ChannelKind.SMS,
        api_url=url,
        account_sid="AC1",
        auth_token=CANARY,
        sender="+15559999999",
        to=("+15550000001",),
    )
    return Sms(config, _caller(config.http, folder), Templates())


def _json(request: bytes) -> Any:
    """Trackers refuse what is wrong themselves."""
    body = request.partition(b"\r\n\r\n")[2]
    return json.loads(body) if body else None


def _took(status: str, body: bytes = b"{}") -> Any:
    return lambda request: response(status, body)


VENDORS: tuple[HttpCase, ...] = (
    HttpCase("jira", _jira, _json, FakeJira().respond, flooded=Failure.SERVER_ERROR),
    HttpCase("github", _github, _json, FakeGitHub().respond, flooded=Failure.SERVER_ERROR),
    HttpCase("pagerduty", _pagerduty, vendors.pagerduty, _took("202 Accepted")),
    HttpCase(
        "slack",
        _slack,
        slack_server.body_of,
        slack_server.respond,
        flooded=Failure.REJECTED,
    ),
    HttpCase(
        "slack-incident",
        _slack_incident,
        slack_server.body_of,
        slack_server.Workspace().respond,
        flooded=Failure.REJECTED,
    ),
    HttpCase("teams", _teams, vendors.teams, _took("202 Accepted")),
    HttpCase("telegram", _telegram, vendors.telegram, _took("200 OK", b'{"ok": true}')),
    HttpCase("sms", _sms, vendors.twilio, _took("201 Created")),
)

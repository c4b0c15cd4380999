"""The channels of a configuration, by receiver and number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from notifiers.channels.address import Network
from notifiers.channels.channel import Channel
from notifiers.channels.command_config import CommandConfig
from notifiers.channels.config import ChannelConfig
from notifiers.channels.email_config import EmailConfig
from notifiers.channels.github_config import GitHubConfig
from notifiers.channels.jira_config import JiraConfig
from notifiers.channels.jsonl import JsonLines
from notifiers.channels.jsonl_config import FileConfig
from notifiers.channels.pagerduty_config import PagerDutyConfig
from notifiers.channels.slack_config import SlackConfig
from notifiers.channels.sms_config import SmsConfig
from notifiers.channels.teams_config import TeamsConfig
from notifiers.channels.telegram_config import TelegramConfig
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.config import Config

if TYPE_CHECKING:
    from notifiers.channels.chart import Charts
    from notifiers.channels.http import Caller
    from notifiers.templating import Templates

DELIVERIES = "deliveries"
"""The only folder that a routing file can have something written to."""
Called = (
    PagerDutyConfig
    | TeamsConfig
    | TelegramConfig
    | SmsConfig
    | SlackConfig
    | JiraConfig
    | GitHubConfig
)
Channels = dict[tuple[str, int], Channel]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What channels get of the world: see `build`."""

    data: Path
    secrets: Path
    allow: tuple[Network, ...]
    now: Callable[[], float]
    templates: Templates
    charts: Charts | None = None


def build(
    config: Config,
    *,
    data: Path,
    secrets: Path,
    allow: Iterable[Network],
    now: Callable[[], float],
    templates: Templates,
    charts: Charts | None = None,
) -> Channels:
    """One channel for each integration.

    Files that are written are relative to `deliveries` in `data`; files of secrets, as Alertmanager
    has it, to the configuration's own folder, `secrets`. `charts` are for pictures in mails.
    """
    around = Surroundings(data, secrets, tuple(allow), now, templates, charts)
    return {
        (receiver.name, index): _channel(one, at)
        for receiver in config.receivers.values()
        for at in [replace(around, templates=templates.at(receiver.location))]
        for index, one in enumerate(receiver.channels)
    }


def _channel(config: ChannelConfig, around: Surroundings) -> Channel:
    """Imports what a channel needs where it is wanted: who writes files loads no HTTP client."""
    match config:
        case WebhookConfig():
            from notifiers.channels.webhook import Webhook

            return Webhook(
                config,
                allow=around.allow,
                now=around.now,
                directory=around.secrets,
                templates=around.templates,
            )
        case CommandConfig():
            from notifiers.channels.command import Command

            return Command(config)
        case EmailConfig():
            from notifiers.channels.email import Email

            return Email(
                config,
                templates=around.templates,
                allow=around.allow,
                directory=around.secrets,
                charts=around.charts,
            )
        case SlackConfig():
            from notifiers.channels.slack import Slack

            return Slack(config, _caller(config, around, config.timeout), around.templates)
        case FileConfig():
            return JsonLines(around.data / DELIVERIES, config.path)
        case PagerDutyConfig():
            from notifiers.channels.pagerduty import PagerDuty

            return PagerDuty(config, _caller(config, around, config.timeout), around.templates)
        case TeamsConfig():
            from notifiers.channels.teams import Teams

            return Teams(config, _caller(config, around), around.templates)
        case TelegramConfig():
            from notifiers.channels.telegram import Telegram

            return Telegram(config, _caller(config, around), around.templates)
        case SmsConfig():
            from notifiers.channels.sms import Sms

            return Sms(config, _caller(config, around, config.timeout), around.templates)
        case JiraConfig():
            from notifiers.channels.jira import Jira

            return Jira(config, _caller(config, around), around.templates)
        case GitHubConfig():
            from notifiers.channels.github import MOST_READ, GitHub

            caller = _caller(config, around, most_read=MOST_READ)
            return GitHub(config, caller, around.templates)
        case _:
            raise ValueError(f"no channel for {config.kind}")


def _caller(
    config: Called,
    around: Surroundings,
    timeout: int = 0,
    most_read: int = 65_536,
) -> Caller:
    """The way out over HTTP; `timeout` in ms, 0 for the default."""
    from notifiers.channels.http import DEFAULT_TIMEOUT, Caller

    return Caller(
        config.http,
        allow=around.allow,
        now=around.now,
        directory=around.secrets,
        timeout=timeout / 1_000 or DEFAULT_TIMEOUT,
        most_read=most_read,
    )

"""Which reader understands which channel's configuration."""

from collections.abc import Callable, Mapping

from notifiers.channels import (
    command_config,
    email_config,
    github_config,
    jira_config,
    jsonl_config,
    pagerduty_config,
    slack_config,
    sms_config,
    teams_config,
    telegram_config,
    webhook_config,
)
from notifiers.channels.config import ChannelConfig, ChannelKind
from notifiers.global_config import Global
from notifiers.yaml_reader import Section

Reader = Callable[[Section, Global], ChannelConfig]

READERS: Mapping[ChannelKind, Reader] = {
    ChannelKind.WEBHOOK: webhook_config.read,
    ChannelKind.FILE: jsonl_config.read,
    ChannelKind.EMAIL: email_config.read,
    ChannelKind.SLACK: slack_config.read,
    ChannelKind.COMMAND: command_config.read,
    ChannelKind.PAGERDUTY: pagerduty_config.read,
    ChannelKind.TEAMS: teams_config.read,
    ChannelKind.TELEGRAM: telegram_config.read,
    ChannelKind.SMS: sms_config.read,
    ChannelKind.JIRA: jira_config.read,
    ChannelKind.GITHUB: github_config.read,
}
"""In the order in which a receiver's channels are numbered."""

ELSEWHERE = frozenset(
    f"{kind}_configs"
    for kind in (
        *("discord", "incidentio", "opsgenie", "wechat", "pushover", "victorops", "sns"),
        *("webex", "msteams", "rocketchat", "mattermost"),
    )
)
"""Alertmanager's channels that are not served here."""

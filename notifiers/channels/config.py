"""What every channel's configuration has: its kind, and what the router must know of it."""

from dataclasses import dataclass
from enum import StrEnum

from notifiers.yaml_reader import Section


class ChannelKind(StrEnum):
    """The kinds of channel; the key in a receiver is `KIND_configs`."""

    WEBHOOK = "webhook"
    FILE = "file"
    EMAIL = "email"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    TEAMS = "msteamsv2"
    SMS = "sms"
    JIRA = "jira"
    GITHUB = "github"
    TELEGRAM = "telegram"
    COMMAND = "command"

    @property
    def key(self) -> str:
        """Where it stands in a receiver."""
        return f"{self}_configs"


RARELY = frozenset({ChannelKind.EMAIL, ChannelKind.SLACK})
"""Kinds that say `send_resolved: false` by default, as in Alertmanager."""

UPDATED = frozenset({ChannelKind.PAGERDUTY, ChannelKind.SLACK})
"""Kinds that show an incident's state, and so hear of acknowledgements, too."""


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """One integration of a receiver, as far as the router cares."""

    kind: ChannelKind
    send_resolved: bool = True
    max_alerts: int = 0


def sends_resolved(found: Section, kind: ChannelKind) -> bool:
    """What `send_resolved` says, or the kind's default."""
    said = found.boolean("send_resolved")
    return kind not in RARELY if said is None else said


def read_bare(found: Section, kind: ChannelKind) -> ChannelConfig:
    """The router's part of an entry; the rest, which may hold secrets, is not looked at."""
    return ChannelConfig(kind, sends_resolved(found, kind), found.number("max_alerts") or 0)

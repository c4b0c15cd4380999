"""The channels of a configuration, by receiver and number."""

from collections.abc import Callable, Iterable
from pathlib import Path

from notifiers.channels.address import Network
from notifiers.channels.channel import Channel
from notifiers.channels.config import ChannelConfig
from notifiers.channels.jsonl import JsonLines
from notifiers.channels.jsonl_config import FileConfig
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.config import Config

DELIVERIES = "deliveries"
"""The only folder that a routing file can have something written to."""
Channels = dict[tuple[str, int], Channel]


def build(
    config: Config,
    *,
    data: Path,
    secrets: Path,
    allow: Iterable[Network],
    now: Callable[[], float],
) -> Channels:
    """One channel for each integration.

    Files that are written are relative to `deliveries` in `data`; files of secrets, as Alertmanager
    has it, to the configuration's own folder, `secrets`.
    """
    networks = tuple(allow)
    return {
        (receiver.name, index): _channel(one, data, secrets, networks, now)
        for receiver in config.receivers.values()
        for index, one in enumerate(receiver.channels)
    }


def _channel(
    config: ChannelConfig,
    data: Path,
    secrets: Path,
    allow: tuple[Network, ...],
    now: Callable[[], float],
) -> Channel:
    match config:
        case WebhookConfig():
            # A worker that only writes files loads no HTTP client.
            from notifiers.channels.webhook import Webhook

            return Webhook(config, allow=allow, now=now, directory=secrets)
        case FileConfig():
            return JsonLines(data / DELIVERIES, config.path)
        case _:
            raise ValueError(f"no channel for {config.kind}")

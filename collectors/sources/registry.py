"""From configuration to sources: the one list of what an agent can read."""

from typing import Any

from collectors.config import AgentConfig
from collectors.sources.httpx_probe import HttpSource
from collectors.sources.psutil_host import HostSource
from collectors.sources.source import Source


def sources_of(config: AgentConfig) -> list[Source[Any]]:
    """Every source that the configuration names."""
    sources: list[Source[Any]] = []
    if config.host.enabled:
        sources.append(HostSource(config.instance, config.host.interval or config.interval))
    sources.extend(HttpSource(check) for check in config.checks)
    return sources

"""From configuration to sources: the one list of what an agent can read."""

from typing import Any

from collectors.config import AgentConfig
from collectors.sources.source import Source


def sources_of(config: AgentConfig) -> list[Source[Any]]:
    """Every source that the configuration names."""
    sources: list[Source[Any]] = []
    # An agent loads only the doors that it opens: httpx alone is 8 MB.
    if config.host.enabled:
        from collectors.sources.psutil_host import HostSource

        sources.append(HostSource(config.instance, config.host.interval or config.interval))
    if config.checks:
        from collectors.sources.httpx_probe import HttpSource

        sources.extend(HttpSource(check) for check in config.checks)
    return sources

"""The agent over a log: it watches this host and publishes what it sees."""

from collectors.agent import Agent
from collectors.sources.registry import sources_of
from collectors.spool import Spool
from ops.settings import Settings
from schemas.stage import Publish


def agent_of(settings: Settings, publish: Publish, spool: str) -> Agent:
    """An agent of this host; its spool has this name in the data directory."""
    config = settings.agent
    directory = config.spool.directory or settings.data / spool
    return Agent(
        sources_of(config),
        publish,
        producer=config.instance,
        spool=Spool(directory, config.spool.max_bytes),
        labels=config.extra,
    )

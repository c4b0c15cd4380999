"""The agent in this process: it watches this host and publishes to the log beside it."""

from collectors.agent import Agent
from collectors.sources.registry import sources_of
from collectors.spool import Spool
from ops.embedded.shared import Shared


def agent_of(shared: Shared) -> Agent:
    """An agent over the log, with its spool in the data directory."""
    config = shared.settings.agent
    directory = config.spool.directory or shared.settings.data / "spool"
    return Agent(
        sources_of(config),
        shared.log,
        producer=config.instance,
        spool=Spool(directory, config.spool.max_bytes),
        labels=config.extra,
    )

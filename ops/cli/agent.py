"""`tocsin agent`: watch this host and send what is seen to another machine's `tocsin up`."""

import argparse
import logging
import signal
from pathlib import Path
from queue import SimpleQueue

from ops import logs
from ops.cli.options import settings_of
from ops.settings import read_secret
from schemas.errors import Refused

log = logging.getLogger("tocsin.agent")


def run(arguments: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT; a second one does not wait."""
    settings = settings_of(arguments).settings
    logs.configure(settings.logging.level, settings.logging.format)
    token_file = Path(arguments.token_file)

    try:
        read_secret(token_file)  # a wrong file is said now, not at the first batch
    except ValueError as fault:
        raise Refused(f"--token-file: {fault}: copy agent.token from the server") from fault
    from collectors.agent import Agent
    from collectors.http_publish import HttpPublish
    from collectors.sources.registry import sources_of
    from collectors.spool import Spool

    config = settings.agent
    directory = config.spool.directory or settings.data / "agent-spool"
    agent = Agent(
        sources_of(config),
        HttpPublish(arguments.server, token_file.read_text),
        producer=config.instance,
        spool=Spool(directory, config.spool.max_bytes),
        labels=config.extra,
    )
    # Not an Event: a handler must not wait for a lock that the interrupted code holds.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.put(None))
    agent.start()
    log.info("agent started", extra={"instance": config.instance, "server": arguments.server})
    ended.get()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kept = agent.stop()
    log.info("agent stopped", extra={"everything_kept": kept})
    return 0 if kept else 3

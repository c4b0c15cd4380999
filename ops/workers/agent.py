"""`tocsin agent`: watches this host, and sends what it sees to Kafka or to a `tocsin up`."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from collectors.agent import Agent
from collectors.http_publish import HttpPublish
from ops.figures import Figures
from ops.parts.agent import agent_of
from ops.parts.shared import Shared
from ops.services import StageStatus
from ops.transport.log import Log

SPOOL = "agent-spool"
"""In the data directory; not that of `tocsin up`, which may run beside this one."""
FLUSH = 6.0
"""Seconds that an end may take to send or to spool what was read."""


class AgentWorker:
    """See `ops.workers.part.Part`. It starts before the log answers, and spools meanwhile."""

    name = "agent"
    broken = ""

    def __init__(self, agent: Agent, figures: Figures) -> None:
        self._agent = agent
        self._kept: bool | None = None
        # The agent's own end blocks; asking for it must not.
        self._ending = threading.Thread(target=self._end, name="agent-ending", daemon=True)
        figures.register(lambda: ((name, {}, value) for name, value in agent.figures().items()))

    def start(self) -> None:
        """Begin; returns at once."""
        self._agent.start()

    def ask_to_stop(self) -> None:
        """Read no more; send or spool what was read."""
        self._ending.start()

    def join(self, timeout: float) -> bool:
        """Wait until everything is kept; False, too, when it could not be."""
        self._ending.join(timeout)
        return self._kept is True

    def status(self) -> Sequence[StageStatus]:
        """Ready while what it reads arrives; what waits on the disk is not lost."""
        away = self._agent.outbox.away
        counted = self._agent.figures()
        figures = {
            "waiting": counted["tocsin_agent_batches_waiting"],
            "sent": counted["tocsin_agent_batches_sent_total"],
            "dropped": counted["tocsin_agent_batches_dropped_total"],
        }
        message = f"spooling: {away}" if away else ""
        return [StageStatus("agent", not away, not away, message, figures)]

    def _end(self) -> None:
        self._kept = self._agent.stop(FLUSH)


def part(shared: Shared[Log]) -> AgentWorker:
    """An agent that publishes to Kafka."""
    return AgentWorker(agent_of(shared.settings, shared.log, SPOOL), shared.figures)


def over_http(server: str, token_file: Path) -> Callable[[Shared[Log]], AgentWorker]:
    """Makes an agent that sends to another machine's `tocsin up`."""

    def make(shared: Shared[Log]) -> AgentWorker:
        publish = HttpPublish(server, token_file.read_text)
        return AgentWorker(agent_of(shared.settings, publish, SPOOL), shared.figures)

    return make

"""`tocsin console`: the API, the page and the agents' door, over Kafka."""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from ops import endpoint
from ops.access import access_of
from ops.api.app import build
from ops.api.serve import Server, bind
from ops.cluster.kafka_ask import KafkaAsk
from ops.cluster.watch import Watch
from ops.console.mount import console
from ops.history.clickhouse import History
from ops.parts.history_server import address_of
from ops.parts.shared import Shared
from ops.services import StageStatus
from ops.tokens import keep_token
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_records import KafkaRecords
from ops.transport.log import Log
from ops.workers.followers import Followers
from ops.workers.kafka_services import KafkaServices
from ops.workers.kafka_source import KafkaSource

READERS_WITHIN = 1.0


class ConsoleWorker:
    """See `ops.workers.part.Part`.

    It serves before Kafka answers, and says so: who looks at it in an outage has to see something.
    Raises `Refused` when the address cannot be had.
    """

    name = "console"

    def __init__(self, shared: Shared[Log]) -> None:
        settings = shared.settings
        self._data = settings.data
        self._token_file = (settings.token_file or settings.data / "agent.token").absolute()
        token = (
            settings.token.get_secret_value() if settings.token else keep_token(self._token_file)
        )
        clients = Clients(settings.kafka, "tocsin-console")

        def clock() -> int:
            return shared.log.clock()  # another one once Kafka answers

        self._followers = Followers(lambda: KafkaSource(clients), clock)
        self._watch = Watch(lambda: KafkaAsk(clients, clock))
        url = settings.history.url
        self._history = None if url is None else History(address_of(settings.history))
        self._records = KafkaRecords(clients)
        self.services = KafkaServices(
            shared, self._followers, self._watch, self._history, self._records
        )
        listener = bind(settings.listen.host, settings.listen.port)
        page = console(self.services, clock)
        self.server = Server(build(self.services, access_of(settings, token), page), listener)
        self._started = False
        self._ending = threading.Thread(target=self._end, name="console-ending", daemon=True)

    @property
    def broken(self) -> str:
        """Why it cannot go on; empty while it can."""
        ended = self._started and self._ending.ident is None and not self.server.alive
        return "the server ended by itself" if ended else ""

    def start(self) -> None:
        """Serve, and begin to read."""
        self.server.start()
        self._started = True
        note = endpoint.Endpoint(self.server.address, str(self._token_file), os.getpid())
        endpoint.write(self._data, note)
        self._followers.start()
        self._watch.worker.start()

    def ask_to_stop(self) -> None:
        """Answer what was asked, and no more; returns at once."""
        self._ending.start()

    def join(self, timeout: float) -> bool:
        """Wait for its end; False when it has not come within `timeout` seconds."""
        ends = time.monotonic() + timeout
        self._ending.join(timeout)
        # They only read. One that waits for a broker that does not answer need not be waited for.
        for reader in (self._followers.worker, self._watch.worker):
            reader.join(min(READERS_WITHIN, max(0.0, ends - time.monotonic())))
        return not self._ending.is_alive()

    def status(self) -> Sequence[StageStatus]:
        """Ready while what it shows is of now."""
        return [replace(self._followers.status(), name=self.name)]

    def _end(self) -> None:
        self._followers.worker.ask_to_stop()
        self._watch.worker.ask_to_stop()
        note = endpoint.read(self._data)
        if note is not None and note.pid == os.getpid():
            endpoint.remove(self._data)
        if self._started:
            self.server.stop()
        if self._history is not None:
            self._history.close()
        self._records.close()


def part(shared: Shared[Log]) -> ConsoleWorker:
    """A console; any number of them may run."""
    return ConsoleWorker(shared)

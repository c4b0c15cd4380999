"""Workers on Kafka as processes of their own, and what is on the topics beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from ops import endpoint
from ops.config_kafka import KafkaSettings
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_log import KafkaLog
from ops.transport.kafka_reader import KafkaReader
from schemas.envelope import Envelope
from schemas.stage import Partition
from schemas.topics import CODEC
from tests.support.tocsin_process import START_WITHIN, Command
from tests.support.waiting import eventually


class KafkaWorker(Command):
    """`tocsin STAGE` in a folder of its own; begun, asked, ended, killed, begun again."""

    def __init__(
        self, home: Path, stage: str, kafka: KafkaSettings, config: Mapping[str, Any] | None = None
    ) -> None:
        home.mkdir(exist_ok=True)
        settings = {"data": "data", "kafka": written(kafka), **(config or {})}
        (home / "tocsin.yaml").write_text(json.dumps(settings))
        super().__init__(home, stage, "--config", "tocsin.yaml", name=stage)
        self.stage = stage

    def probe(self, path: str) -> httpx.Response:
        """What its probes say; an AssertionError while nobody answers."""
        note = endpoint.read(self.home / "data", endpoint.worker_file(self.stage))
        assert note is not None, "no endpoint"
        assert note.pid == self.pid, "the endpoint of an earlier life"
        try:
            return httpx.get(f"http://{note.address}{path}", trust_env=False, timeout=10.0)
        except httpx.HTTPError as fault:
            raise AssertionError(str(fault)) from fault

    def start(self, crash_at: str = "") -> Self:
        """Begin, and wait until it is ready."""
        self.begin(crash_at)
        return self.ready()

    def ready(self) -> Self:
        """Wait until it is."""
        eventually(
            lambda: self.probe("/readiness").status_code == 200,
            START_WITHIN,
            lambda: f"{self.probe('/health').text}\n{self.tail()}",
        )
        return self


class Topics:
    """Everything that is committed on the topics of a test; reads from their begin each time."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.log = KafkaLog(kafka, "test")
        self._reader = KafkaReader(Clients(kafka, "test"))
        self._count = kafka.partitions

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self.log.close()

    def envelopes(self, topic: str, partition: int | None = None) -> list[Envelope]:
        """What is there, by partition and offset."""
        numbers = range(self._count) if partition is None else [partition]
        found = []
        for number in numbers:
            where = Partition(topic, number)
            offset, end = self._reader.begin(where), self._reader.end(where)
            while offset < end:
                records, _ = self._reader.read(where, offset)
                if not records:
                    break
                found += [CODEC.decode(record.value) for record in records]
                offset = records[-1].offset + 1
        return found


def written(kafka: KafkaSettings) -> dict[str, Any]:
    """The settings as a configuration file has them."""
    return {
        "bootstrap": list(kafka.bootstrap),
        "prefix": kafka.prefix,
        "partitions": kafka.partitions,
        "session_timeout": f"{kafka.session_timeout.total_seconds():g}s",
    }

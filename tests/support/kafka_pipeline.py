"""The whole pipeline on the native Kafka, each worker a process of its own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from ops import endpoint
from ops.config_kafka import KafkaSettings
from ops.history.child import HistoryChild
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topics import create
from tests.support.kafka_file import KafkaFile
from tests.support.tocsin_process import Command, run
from tests.support.waiting import eventually


class WorkerProcess(Command):
    """`tocsin STAGE`, with a data directory of its own."""

    def __init__(self, home: Path, stage: str, number: int, *arguments: str) -> None:
        name = f"{stage}-{number}"
        self.stage = stage
        self.data = home / name
        super().__init__(
            home, stage, "--config", "tocsin.yaml", "--data", name, *arguments, name=name
        )

    def health(self) -> dict[str, Any]:
        """What `/health` says; raises AssertionError while it does not answer."""
        note = endpoint.read(self.data, endpoint.worker_file(self.stage))
        assert note is not None, "not started"
        assert note.pid == self.pid, "another process's note"
        try:
            told: dict[str, Any] = httpx.get(f"http://{note.address}/health", timeout=5).json()
        except httpx.HTTPError as fault:
            raise AssertionError(str(fault)) from fault
        return told

    def ready(self, within: float = 60.0) -> Self:
        """Wait until it has recovered."""

        def whole() -> bool:
            assert self.running, self.tail()
            return all(stage["ready"] for stage in self.health()["stages"])

        eventually(whole, within, self.tail)
        return self


class Pipeline:
    """Topics, a configuration, history's child, and workers by name, such as `detector-1`."""

    def __init__(
        self,
        home: Path,
        kafka: KafkaSettings,
        *,
        rules: str,
        routes: str,
        config: Mapping[str, Any] | None = None,
        history: bool = True,
    ) -> None:
        self.home = home
        self.kafka = kafka
        self.log = KafkaFile(kafka)
        self.workers: dict[str, WorkerProcess] = {}
        self._config = config or {}
        self.child = HistoryChild(home / "data" / "history") if history else None
        home.mkdir(exist_ok=True)
        (home / "rules.yml").write_text(rules)
        (home / "routes.yml").write_text(routes)

    def __enter__(self) -> Self:
        create(Clients(self.kafka, "test"))
        settings: dict[str, Any] = {
            "rules": ["rules.yml"],
            "routes": "routes.yml",
            "kafka": {
                "bootstrap": ",".join(self.kafka.bootstrap),
                "prefix": self.kafka.prefix,
                "partitions": str(self.kafka.partitions),
                "session_timeout": f"{self.kafka.session_timeout.total_seconds():g}s",
            },
            **self._config,
        }
        if self.child is not None:
            self.child.start()
            assert self.child.wait_ready(60), self.child.fault
            where = self.child.address
            settings["history"] = {
                "url": f"http://{where.host}:{where.port}",
                "user": where.user,
                "password": where.token,
            }
        (self.home / "tocsin.yaml").write_text(json.dumps(settings))
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            if worker.running:
                worker.kill()
        if self.child is not None:
            self.child.stop()

    def start(self, *names: str, crash_at: str = "") -> None:
        """Start these workers; returns at once. `crash_at` is as in `ops.runtime.crash`."""
        for name in names:
            stage, _, number = name.rpartition("-")
            if name not in self.workers:
                given = ("--listen", "127.0.0.1:0") if stage == "console" else ()
                self.workers[name] = WorkerProcess(self.home, stage, int(number), *given)
            self.workers[name].begin(crash_at)

    def ready(self, *names: str, within: float = 60.0) -> None:
        """Wait until these, or all that run, have recovered."""
        for name in names or self.workers:
            if self.workers[name].running:
                self.workers[name].ready(within)

    def apply(self) -> None:
        """Put rules and routes into force."""
        done = run("apply", "--config", "tocsin.yaml", cwd=self.home)
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> None:
        """End everything in good order; raises AssertionError where an end was not good."""
        for name, worker in self.workers.items():
            if worker.running:
                assert worker.stop() == 0, f"{name}\n{worker.tail()}"

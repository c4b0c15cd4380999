"""`tocsin console`, `status` and `load` on a real broker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from notifiers import view
from notifiers.router import Router
from ops.cli import main
from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker, free_port
from ops.runtime.intake import decoded, runs
from ops.services import StageStatus
from ops.transport import kafka_clients, kafka_topics
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_log import KafkaLog
from ops.transport.kafka_reader import KafkaReader
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.stage_log import StageCommit
from ops.workers.beats import message
from ops.workers.follower import Follower
from ops.workers.kafka_source import KafkaSource
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.dead_letter import DeadLetter
from schemas.errors import Reason
from schemas.event import Event
from schemas.stage import Message, Partition, Record
from schemas.topics import ALERTS, CODEC, DEAD_LETTERS, METRICS
from tests.support.build import envelope
from tests.support.kafka import jars, settings_for
from tests.support.sender import Sender
from tests.support.tocsin_process import Tocsin, environment, run
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

HERE = Partition(ALERTS, 0)


class Console(Tocsin):
    """`tocsin console` on a directory of its own."""

    def __init__(self, home: Path, kafka: KafkaSettings, **more: Any) -> None:
        super().__init__(home, config={"kafka": as_written(kafka)} | more, name="console")
        self.arguments[0] = "console"

    def names(self) -> list[str]:
        return [
            each["labels"]["alertname"] for each in self.json("/api/tocsin/v1/alerts")["alerts"]
        ]

    def is_ready(self) -> bool:
        return self.get("/readiness").status_code == 200


def as_written(kafka: KafkaSettings) -> Mapping[str, Any]:
    return {
        "bootstrap": ", ".join(kafka.bootstrap),
        "prefix": kafka.prefix,
        "partitions": kafka.partitions,
    }


@pytest.fixture
def log(broker: Broker) -> Iterator[tuple[KafkaSettings, KafkaLog]]:
    """Topics with two partitions, and a log over them."""
    kafka = settings_for(broker, partitions=2)
    kafka_topics.create(Clients(kafka, "test"))
    made = KafkaLog(kafka, "test")
    yield kafka, made
    made.close()


def alert(
    log: KafkaLog, *names: str, at: int = 1, state: str = "firing", partition: int = 0
) -> None:
    levels = tuple(
        AlertLevel(
            labels={"alertname": name, "severity": "high"},
            state=AlertState(state),
            active_at=log.clock() - 1_000,
            starts_at=log.clock() - 1_000,
            ends_at=log.clock() if state == "resolved" else None,
        )
        for name in names
    )
    put(log, ALERTS, AlertBatch(source="g", plan=1, decided_at=at, alerts=levels), partition)


def put(log: KafkaLog, topic: str, event: Event, partition: int | None = None) -> None:
    value = CODEC.encode(envelope(event, log.clock()))
    log.publish([Message(topic, "default", value, partition)])


def beat(log: KafkaLog, worker: str, stage: str, **status: Any) -> None:
    told = StageStatus(stage, **({"healthy": True, "ready": True} | status))
    log.publish([message(worker, told, log.clock())])


def all_records(kafka: KafkaSettings, topic: str) -> list[Record]:
    reader = KafkaReader(Clients(kafka, "test"))
    try:
        return [
            record
            for number in range(kafka.partitions)
            for record in reader.read(Partition(topic, number), 0, 1_000_000, 1 << 40)[0]
        ]
    finally:
        reader.close()


def test_a_follower_begins_at_the_routers_checkpoint(log: tuple[KafkaSettings, KafkaLog]) -> None:
    kafka, made = log
    clients = Clients(kafka, "test")
    for number in range(5):
        alert(made, f"A{number}", at=number)
    alert(made, "A0", at=7, state="resolved")
    router, state = Router(), KafkaStageLog(clients)
    state.claim("router", HERE)
    source = KafkaSource(clients)
    try:
        records, _ = source.read(HERE, 0, 4)
        for now, run_ in runs(records, 0):
            step = router.step(decoded("router", run_, now)[0], now)
            state.commit_stage(StageCommit("router", HERE, run_[-1].offset + 1, (), step.changes))
        follower = Follower(source, HERE)
        assert follower.next == 4
        assert follower.alerts() == router.alerts()
        while follower.turn(source, source.end(HERE)):
            pass
        rest, _ = source.read(HERE, 4, 100)
        for now, run_ in runs(rest, 0):
            router.step(decoded("router", run_, now)[0], now)
        assert follower.alerts() == router.alerts()
        assert len(follower.alerts()) == 5
        assert isinstance(follower.alerts()[0], view.AlertView)
    finally:
        source.close()
        state.close()


def test_the_console_shows_what_is_on_kafka(
    tmp_path: Path, log: tuple[KafkaSettings, KafkaLog]
) -> None:
    kafka, made = log
    alert(made, "First")
    with Console(tmp_path / "c", kafka) as console:
        console.start()
        eventually(console.is_ready, 20, console.tail)
        assert console.names() == ["First"]
        alert(made, "Second", partition=1)
        alert(made, "First", at=9, state="resolved")
        eventually(lambda: sorted(console.names()) == ["First", "Second"], 10)
        eventually(lambda: console.figure("tocsin_alerts", state="firing") == 1, 10)
        answer = console.get("/api/v1/alerts")
        assert made.clock() - int(answer.headers["x-tocsin-as-of"]) < 5_000
        assert [each["state"] for each in answer.json()["data"]["alerts"]] == ["firing"]

        with Sender(console.url, console.token_file) as sender:
            positions = [sender.send("temperature", float(n)) for n in range(10)]
        found = {(r.partition, r.offset): r for r in all_records(kafka, METRICS)}
        assert {(p.partition, p.offset) for p in positions} == set(found)
        assert {record.key for record in found.values()} == {"hand"}

        # No detector runs.
        eventually(lambda: console.health()["status"] == "unhealthy", 20, console.health)
        for name, stage in (("d1", "detector"), ("d2", "detector"), ("r1", "router")):
            beat(made, name, stage, figures={"lag:0": 0.0, "lag": 0.0, "plan": 1.0})
        beat(made, "c1", "courier")
        put(made, DEAD_LETTERS, letter(made.clock()))
        eventually(lambda: console.health()["status"] == "healthy", 20, console.health)
        status = console.json("/api/tocsin/v1/status")
        assert {worker["worker"] for worker in status["cluster"]["workers"]} > {"d1", "d2", "r1"}
        newest = status["cluster"]["dead_letters"]["newest"]
        assert newest == [{"topic": METRICS, "reason": str(Reason.STAGE_FAILED), "count": 1}]
        reload = httpx.post(f"{console.url}/-/reload", trust_env=False)
        assert reload.status_code == 400
        assert "tocsin apply" in reload.text

        def is_fine() -> subprocess.CompletedProcess[str]:
            told = run("status", "--config", "tocsin.yaml", cwd=console.home)
            assert told.returncode == 0, told.stdout + told.stderr
            return told

        told = eventually(is_fine, 20)  # the console itself says every ten seconds how it is
        assert "detector  d2" in told.stdout
        assert "no problems" in told.stdout
        beat(made, "r1", "router", healthy=False, message="stage failed")
        told = run("status", "--config", "tocsin.yaml", "--json", cwd=console.home)
        assert told.returncode == 1
        assert json.loads(told.stdout)["status"] == "unhealthy"
        told = run("status", "--url", console.url, cwd=console.home)
        assert "d1" in told.stdout
        assert console.stop() == 0


def letter(at: int) -> DeadLetter:
    return DeadLetter(
        topic=METRICS,
        partition=0,
        offset=3,
        stage="detector",
        reason=Reason.STAGE_FAILED,
        at=at,
        original=b"x",
    )


def test_before_kafka_answers_the_console_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kafka_clients, "PATIENCE", 0.5)
    kafka = KafkaSettings.model_validate({"bootstrap": f"127.0.0.1:{free_port()}"})
    with Console(tmp_path / "c", kafka) as console:
        console.start()
        assert not console.is_ready()
        assert console.get("/api/tocsin/v1/alerts").headers["x-tocsin-as-of"] == "0"
        assert console.get("/liveness").status_code == 200
        assert main(["status", "--config", str(console.home / "tocsin.yaml")]) == 3
        assert "Kafka" in capsys.readouterr().err
        assert console.stop() == 0


def test_a_broker_that_goes_and_comes_back(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", jars())
    kafka = settings_for(broker, partitions=1)
    try:
        broker.start()
        kafka_topics.create(Clients(kafka, "test"))
        with Console(tmp_path / "c", kafka) as console:
            said(kafka, "Before")
            console.start()
            eventually(console.is_ready, 20, console.tail)
            broker.kill()
            eventually(lambda: not console.is_ready(), 20)
            assert console.names() == ["Before"]
            assert "as of" in console.health()["follower"]["message"]
            broker.start()
            eventually(console.is_ready, 30, console.tail)
            said(kafka, "After")
            eventually(lambda: console.names() == ["After", "Before"], 10)
            assert console.stop() == 0
    finally:
        broker.kill()


def said(kafka: KafkaSettings, name: str) -> None:
    log = KafkaLog(kafka, "test")
    alert(log, name)
    log.close()


LOAD = ("load", "--config", "tocsin.yaml", "--hosts", "20", "--series", "30", "--batch", "20")


def published(kafka: KafkaSettings) -> dict[tuple[str, int, int], int]:
    """Samples by producer, epoch and sequence."""
    found: dict[tuple[str, int, int], int] = {}
    for record in all_records(kafka, METRICS):
        sent = CODEC.decode(record.value)
        who = (sent.producer.name, sent.producer.epoch, sent.producer.sequence)
        assert who not in found
        found[who] = sent.event.count  # type: ignore[attr-defined]
    return found


def test_load_publishes_exactly_what_it_says(
    tmp_path: Path, log: tuple[KafkaSettings, KafkaLog]
) -> None:
    kafka, _ = log
    (tmp_path / "tocsin.yaml").write_text(json.dumps({"kafka": as_written(kafka)}))
    more = ("--interval", "500ms", "--for", "1500ms", "--breach", "2@1s", "--json")
    ran = run(*LOAD, *more, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    found = published(kafka)
    assert (len(found), sum(found.values())) == (report["batches"], report["samples"])
    assert (report["batches"], report["samples"]) == (20 * 3 * 2, 20 * 3 * 30)
    last = {name: max(n for who, _, n in found if who == name) for name, _, _ in found}
    assert report["last"] == last
    assert {epoch for _, epoch, _ in found} == {report["epoch"]}
    assert report["breaches"][0]["hosts"] == ["load-00001", "load-00002"]


def test_load_ends_when_it_is_told_to(tmp_path: Path, log: tuple[KafkaSettings, KafkaLog]) -> None:
    kafka, _ = log
    (tmp_path / "tocsin.yaml").write_text(json.dumps({"kafka": as_written(kafka)}))
    process = subprocess.Popen(
        [sys.executable, "-m", "ops", *LOAD, "--interval", "200ms", "--for", "1h", "--json"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: all_records(kafka, METRICS), 20)
        os.kill(process.pid, signal.SIGTERM)
        said, _ = process.communicate(timeout=15)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    report = json.loads(said)
    found = published(kafka)
    assert (len(found), sum(found.values())) == (report["batches"], report["samples"])


def test_load_over_http_reaches_kafka(tmp_path: Path, log: tuple[KafkaSettings, KafkaLog]) -> None:
    kafka, _ = log
    with Console(tmp_path / "c", kafka) as console:
        console.start()
        more = ("--server", console.url, "--token-file", str(console.token_file))
        ran = run(*LOAD, *more, "--for", "1s", "--interval", "1s", "--json", cwd=console.home)
        assert ran.returncode == 0, ran.stderr
        assert len(published(kafka)) == json.loads(ran.stdout)["batches"] == 40

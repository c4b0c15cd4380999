"""What a transaction takes, and alert levels per CPU-second through `tocsin router`."""

import time
from collections.abc import Iterator

from benchmarks.figures import Result, quantile, rate, spending
from benchmarks.kafka.backlog import backlog
from benchmarks.kafka.running import Place, place, wait
from ops.deploy.kafka.broker import Broker
from ops.transport.feed import Feed
from ops.transport.kafka_inbox import KafkaInbox
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.stage_log import StageCommit
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.envelope import Envelope, Producer
from schemas.plan_pieces import cut
from schemas.stage import Message, Partition, Record, StateChange
from schemas.topics import ALERTS, CODEC, DELIVERIES

ALERT_COUNT, TOGETHER, GROUPS = 10_000, 500, 100
ROUTES = """
route: {receiver: nobody, group_by: [service], group_wait: 0s, repeat_interval: 24h}
receivers: [{name: nobody}]
"""
MINUTE = 60_000
NEW, AGAIN, RESOLVED = "new", "announced again, unchanged", "resolved"


def run(made: Broker, quick: bool) -> Result:
    """Transactions of one delivery and one change; then alerts as detectors announce them."""
    result = Result("Router on Kafka's transactions")
    with place(made) as here:
        took, cpu = _transactions(here, 30 if quick else 500)
    result.add("transactions per second, one after the other", rate(len(took), sum(took)))
    p50, p99 = (quantile(took, share) * 1000 for share in (0.5, 0.99))
    result.add("a transaction, p50 / p99, ms", f"{p50:.1f} / {p99:.1f}")
    result.add("CPU of ours in a transaction, ms", f"{cpu / len(took) * 1000:.1f}")
    with place(made) as here:
        for what, levels, spent in _levels(here, 2 if quick else 40):
            result.add(f"alert levels per CPU-second, {what}", rate(levels, spent))
    return result


def _transactions(here: Place, count: int) -> tuple[list[float], float]:
    where = Partition(ALERTS, 0)
    inbox = KafkaInbox(here.clients, "tocsin.router", [ALERTS])
    wait(lambda: bool(inbox.assigned()), "joined")
    log = KafkaStageLog(here.clients, Feed(), member=inbox.member)
    log.claim("router", where)
    reader = log.reader()
    reader.state("router", 0)
    took = []
    with spending() as spent:
        for number in range(count):
            began = time.perf_counter()
            log.commit_stage(
                StageCommit(
                    "router",
                    where,
                    number + 1,
                    [Message(DELIVERIES, "hook", bytes(1_000))],
                    [StateChange(f"group/{number % GROUPS}", bytes(1_000))],
                )
            )
            took.append(time.perf_counter() - began)
    reader.close()
    log.close()
    inbox.close()
    return took, spent.cpu


def _levels(here: Place, rounds: int) -> Iterator[tuple[str, int, float]]:
    start = time.time_ns() // 1_000_000
    router = here.worker("router")
    with backlog(here.clients, 1) as hidden:
        hidden.show([_record(piece, start) for piece in cut("router", 1, ROUTES.encode())])
        wait(lambda: router.ready and router.figure("plan") == 1, "router ready")
        phases = {
            NEW: [start + MINUTE],
            AGAIN: [start + (2 + n) * MINUTE for n in range(rounds)],
            RESOLVED: [start + (2 + rounds) * MINUTE],
        }
        for what, instants in phases.items():
            hidden.hide([record for at in instants for record in _batches(what, start, at)])
            time.sleep(1.5)  # whatever the phase before has left to be committed
            before = router.cpu
            hidden.reveal()
            wait(lambda end=instants[-1]: router.has_read(end), what)  # type: ignore[misc]
            yield what, len(instants) * ALERT_COUNT, router.cpu - before


def _batches(what: str, start: int, at: int) -> Iterator[Record]:
    for first in range(0, ALERT_COUNT, TOGETHER):
        levels = tuple(_level(n, what, start, at) for n in range(first, first + TOGETHER))
        yield _record(AlertBatch(source=f"g{first}", plan=1, decided_at=at, alerts=levels), at)


def _level(number: int, what: str, start: int, at: int) -> AlertLevel:
    labels = {
        "alertname": "Hot",
        "instance": f"host-{number:05d}",
        "job": "node",
        "region": "eu",
        "service": f"s{number % GROUPS}",
        "severity": "page",
        "team": "web",
        "zone": "a",
    }
    over = what == RESOLVED
    return AlertLevel(
        labels=labels,
        state=AlertState.RESOLVED if over else AlertState.FIRING,
        active_at=start,
        starts_at=start,
        ends_at=at if over else None,
        value=1.0,
        changed=what != AGAIN,
    )


def _record(event: object, at: int) -> Record:
    sent = Envelope(f"{at}", Producer("bench"), at, event)  # type: ignore[arg-type]
    return Record(Partition(ALERTS, 0), 0, at, "default", CODEC.encode(sent))

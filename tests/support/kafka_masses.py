"""A backlog of many series, published as fast as the broker takes it."""

from array import array
from collections.abc import Iterator

from collectors.batches import Sealer
from ops.config_kafka import KafkaSettings
from ops.transport.kafka_log import KafkaLog
from schemas.labels import labels_of
from schemas.metrics import metric_batch
from schemas.series import pack_series
from schemas.stage import Message
from schemas.topics import CODEC, METRICS
from tests.support.tocsin_process import wall

METRIC = "mass"
PER_HOST = 500
RULES = f"""
groups:
  - name: mass
    rules:
      - alert: Mass
        expr: max_over_time({METRIC}[5m]) > 1e9
"""
EVERY = 10_000
"""ms between the samples of a series."""


def publish(settings: KafkaSettings, hosts: int, samples: int) -> int:
    """So many samples of each of `PER_HOST` series a host, the newest of now; how many in all."""
    log = KafkaLog(settings, "masses")
    try:
        messages: list[Message] = []
        for message in _messages(hosts, samples, wall()):
            messages.append(message)
            if len(messages) == 200:
                log.publish(messages)
                messages.clear()
        log.publish(messages)
    finally:
        log.close()
    return hosts * PER_HOST * samples


def _messages(hosts: int, samples: int, now: int) -> Iterator[Message]:
    names = [f"mass-{number}" for number in range(hosts)]
    sealers = {name: Sealer(name, now) for name in names}
    blocks = {name: _block(name) for name in names}
    for number in range(samples):
        at = now - (samples - 1 - number) * EVERY
        for name in names:
            values = array("d", [number + place / 1_024 for place in range(PER_HOST)])
            sealed = sealers[name].seal(metric_batch(name, blocks[name], values, [at]))
            yield Message(METRICS, name, CODEC.encode(sealed._replace(sent_at=wall())))


def _block(name: str) -> bytes:
    return pack_series(
        tuple(
            labels_of({"__name__": METRIC, "instance": name, "n": str(number)})
            for number in range(PER_HOST)
        )
    )

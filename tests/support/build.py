"""Builders of events and records, short enough to read a scenario by."""

from collections.abc import Mapping, Sequence

from processors.rules_plan import RulesPlan
from schemas.envelope import Envelope, Producer
from schemas.event import Event
from schemas.labels import labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.plan_pieces import cut
from schemas.stage import Message
from schemas.topics import CODEC, METRICS

T0 = 1_700_000_040_000
"""A whole minute, in ms."""


def samples(
    instance: str, values: Mapping[str, float] | Sequence[tuple[str, float]], at: int
) -> MetricBatch:
    """One value a metric, of one instance, at one time."""
    items = list(values.items()) if isinstance(values, Mapping) else list(values)
    series = [labels_of({"__name__": name, "instance": instance}) for name, _ in items]
    return metric_batch(instance, series, [value for _, value in items], [at])


def envelope(
    event: Event, at: int, producer: str = "agent", sequence: int = 0, epoch: int = 1
) -> Envelope:
    """An event as its producer sends it at `at`."""
    return Envelope(
        f"{producer}/{epoch}/{sequence}/{at}", Producer(producer, epoch, sequence), at, event
    )


def metrics_message(batch: MetricBatch, at: int, sequence: int = 0) -> Message:
    """A batch on its way, numbered if `sequence` is given."""
    sent = envelope(batch, at, f"agent-{batch.instance}", sequence)
    return Message(METRICS, batch.instance, CODEC.encode(sent))


def rules_plan_messages(
    text: str, number: int = 1, interval: int = 15_000, partitions: int = 1
) -> list[Message]:
    """A plan of one rule file for every partition of the metrics topic."""
    plan = RulesPlan(files=(("rules.yml", text),), evaluation_interval=interval)
    return [
        Message(METRICS, "", CODEC.encode(envelope(piece, T0, "plans")), partition)
        for partition in range(partitions)
        for piece in cut("detector", number, plan.pack())
    ]

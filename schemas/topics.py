"""The one table of topics: what is on them, by what they are keyed, how long they keep it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schemas.alerts import AlertBatch, PostedAlerts
from schemas.checks import CheckResult
from schemas.codec import Codec
from schemas.commands import SilenceExpired, SilenceSet
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Decision, Delivery, Receipt
from schemas.drills import DrillAsked, ResendAsked
from schemas.event import Event
from schemas.gathered import Gathered, Marker
from schemas.heartbeats import Ping
from schemas.incidents import IncidentChanged, IncidentCommand
from schemas.metrics import MetricBatch
from schemas.oncall import OverrideEnded, OverrideSet
from schemas.plans import Health, Plan, WakeUp
from schemas.windows import WindowClosed, WindowEnded, WindowOpened, WindowSet

METRICS: Final = "tocsin.metrics"
GATHERED: Final = "tocsin.gathered"
ALERTS: Final = "tocsin.alerts"
DELIVERIES: Final = "tocsin.deliveries"
HISTORY: Final = "tocsin.history"
HEALTH: Final = "tocsin.health"
DEAD_LETTERS: Final = "tocsin.dead-letters"

MAX_MESSAGE: Final = 960_000
"""Bytes of one message, key and value. Kafka's default limit is 1,048,588 for a batch."""
MAX_DEAD_LETTER: Final = 1_000_000
"""A dead letter holds a whole message, and its own covering letter."""


@dataclass(frozen=True, slots=True)
class Topic:
    """How a topic is set up. `single` topics have one partition whatever the scale."""

    name: str
    key: str
    kinds: tuple[type[Event], ...]
    retention: timedelta
    decisions: bool = False
    """May use the room that a nearly full disk keeps for decisions."""
    single: bool = False
    max_message: int = MAX_MESSAGE


TOPICS: Final[dict[str, Topic]] = {
    topic.name: topic
    for topic in (
        Topic(METRICS, "instance", (MetricBatch, CheckResult, Plan, WakeUp), timedelta(hours=6)),
        Topic(GATHERED, "rule group", (Gathered, Marker, Plan, WakeUp), timedelta(hours=6), True),
        Topic(
            ALERTS,
            "tenant",
            (
                *(AlertBatch, PostedAlerts, Receipt, SilenceSet, SilenceExpired, IncidentCommand),
                *(Ping, DrillAsked, ResendAsked, Plan, WakeUp),
                *(WindowSet, WindowEnded, WindowOpened, WindowClosed),
                *(OverrideSet, OverrideEnded),
            ),
            timedelta(days=7),
            True,
        ),
        Topic(DELIVERIES, "receiver", (Delivery,), timedelta(days=7), True),
        Topic(HISTORY, "stage", (Decision, IncidentChanged, AlertBatch), timedelta(days=7), True),
        Topic(HEALTH, "worker", (Health,), timedelta(hours=24)),
        Topic(
            DEAD_LETTERS,
            "topic",
            (DeadLetter,),
            timedelta(days=30),
            single=True,
            max_message=MAX_DEAD_LETTER,
        ),
    )
}

KINDS: Final = tuple({kind: None for topic in TOPICS.values() for kind in topic.kinds})
CODEC: Final = Codec(KINDS)


def checkpoints(stage: str) -> str:
    """The compacted topic of a stage's state, with as many partitions as the stage's input."""
    return f"tocsin.checkpoints.{stage}"

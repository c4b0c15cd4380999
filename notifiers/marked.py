"""A delivery that stands for no alert of anybody's: a heartbeat, a fire drill; marked as such."""

from collections.abc import Mapping
from dataclasses import dataclass

from notifiers.state import State
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery, Why, told
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import DELIVERIES


@dataclass(frozen=True, slots=True)
class Marked:
    """What it says to one channel, until when (ms), and under which key, which is its lane."""

    id: str
    key: str
    why: Why
    labels: Mapping[str, str]
    text: str
    starts_at: int
    expires_at: int
    ends_at: int | None = None


def send(state: State, said: Marked, receiver: str, kind: str, index: int) -> None:
    """Publish it; one attempt."""
    labels, notes = dict(said.labels), {"summary": said.text}
    level = AlertLevel(
        labels=labels,
        annotations=notes,
        state=AlertState.FIRING if said.ends_at is None else AlertState.RESOLVED,
        active_at=said.starts_at,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        value=1.0,
        reason=said.text,
    )
    event = Delivery(
        id=said.id,
        group_key=said.key,
        receiver=receiver,
        integration=index,
        channel=kind,
        why=said.why,
        decided_at=state.now,
        expires_at=said.expires_at,
        group_labels=labels,
        common_labels=labels,
        common_annotations=notes,
        told=told((level,)),
        external_url=state.external_url,
        notice=said.text,
    )
    state.counts["delivery decided"] += 1
    state.outputs.append(Output(DELIVERIES, receiver, derived_id("attempt", said.id, 1), event))

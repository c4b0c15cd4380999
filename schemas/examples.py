"""One message of every kind: what the documentation shows and the wire samples hold."""

from typing import Final

from schemas.alerts import AlertBatch, AlertLevel, AlertState, PostedAlerts
from schemas.checks import CheckResult, CheckStatus
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Decision, Delivery, Fate, Receipt, Why, told
from schemas.drills import DrillAsked, ResendAsked
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason
from schemas.event import Event
from schemas.gathered import Gathered, Marker
from schemas.heartbeats import Ping, Signal
from schemas.incidents import IncidentAction, IncidentChanged, IncidentCommand, IncidentState, What
from schemas.labels import Labels
from schemas.metrics import MetricBatch, metric_batch
from schemas.oncall import OverrideEnded, OverrideSet
from schemas.pairs import packed
from schemas.plan_pieces import digest_of
from schemas.plans import Health, Plan, WakeUp
from schemas.windows import Calendar, Repeat, WindowClosed, WindowEnded, WindowOpened, WindowSet

AT: Final = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""

SERIES: Final[tuple[Labels, ...]] = (
    (("__name__", "node_load1"), ("instance", "web-1"), ("job", "node")),
    (("__name__", "up"), ("instance", "web-1"), ("job", "node"), ("service", "shop")),
)
BLOCK: Final = bytes.fromhex(
    "789ccbcc2b2e49cc4b4efd5f9e9aa46bf83f2b3fe97f5e7e4aeaff7f20323e273f31c5f0ffbfd282ffc5a945"
    "65994065c519f905ffff0100defe1c2b"
)
"""`SERIES` packed; as bytes, because zlib's output differs from one build of it to another."""

_LABELS = {"alertname": "CpuHigh", "instance": "web-1", "severity": "critical"}
_ALERT = AlertLevel(
    labels=_LABELS,
    annotations={"summary": "CPU of web-1 above 80 %"},
    state=AlertState.FIRING,
    active_at=AT - 300_000,
    starts_at=AT,
    value=93.5,
    reason="held for 5m",
    generator_url="http://127.0.0.1:8080/query",
)
_WHO = {"group_key": '{}:{service="shop"}', "receiver": "on-call", "integration": 0}
_FROM = {
    "group": "rules.yml:jobs",
    "digest": digest_of(b"node_load1"),
    "source": 3,
    "offset": 1_234,
    "plan": 7,
    "at": AT,
}
_COLUMNS = metric_batch("web-1", BLOCK, [0.25, 1.0], [AT - 2_000, AT - 1_000], [0, 1]).model_dump(
    include={"times", "values", "index"}
)
_EVENTS: Final[tuple[Event, ...]] = (
    metric_batch("web-1", BLOCK, values=[0.25, 1.0], times=[AT]),
    CheckResult(
        instance="web-1",
        check="http",
        target="https://shop.example/health",
        status=CheckStatus.UNHEALTHY,
        at=AT,
        duration=0.125,
        message="503 Service Unavailable",
        labels={"service": "shop"},
    ),
    Plan(
        stage="detector",
        number=7,
        digest=digest_of(b"groups: []"),
        piece=0,
        pieces=1,
        content=b"groups: []",
    ),
    WakeUp(stage="detector", due=AT + 15_000),
    Gathered.model_validate(_FROM | {"series": BLOCK} | _COLUMNS),
    Marker.model_validate(_FROM | {"sources": 8}),
    AlertBatch(source="rules.yml;cpu", plan=7, decided_at=AT, alerts=(_ALERT,)),
    PostedAlerts(
        decided_at=AT,
        labels=(packed(_LABELS), packed(_LABELS | {"instance": "web-2"})),
        annotations=(packed({"summary": "CPU of web-1 above 80 %"}), b""),
        starts_at=(AT - 300_000, AT - 60_000),
        ends_at=(None, AT),
        generator_urls=("http://prometheus.example/graph", ""),
    ),
    Receipt.model_validate(
        _WHO
        | {
            "delivery": "7c1f0e",
            "channel": "webhook",
            "fate": Fate.RETRY,
            "attempt": 1,
            "tries": 3,
            "at": AT + 500,
            "duration": 0.5,
            "retry_at": AT + 10_500,
            "reason": "server error",
            "detail": "502 Bad Gateway",
        }
    ),
    SilenceSet(
        id="0b6bc2a5-3e10-4d6c-9a2f-4a1f6d6c1b7e",
        sets=((SilenceMatcher(name="instance", operator="=~", value="web-.*"),),),
        starts_at=AT,
        ends_at=AT + 7_200_000,
        created_by="ada",
        comment="new disks",
    ),
    SilenceExpired(id="0b6bc2a5-3e10-4d6c-9a2f-4a1f6d6c1b7e", by="ada"),
    WindowSet(
        id="9d1c",
        sets=((SilenceMatcher(name="service", operator="=", value="shop"),),),
        owner="ada",
        comment="patch day",
        starts_at=AT,
        ends_at=AT + 31_536_000_000,
        calendars=(Calendar(times=((60, 120),), weekdays=((6, 6),), location="Europe/Berlin"),),
        repeats=(Repeat(weekdays=(2,), minute=120, length=7_200_000, location="Europe/Berlin"),),
        remind_before=86_400_000,
        remind_to="on-call",
    ),
    WindowEnded(id="9d1c", by="ada"),
    WindowOpened(id="shop-deploy", by="ci", timeout=1_800_000),
    WindowClosed(id="shop-deploy", by="ci"),
    IncidentCommand(
        incident="5f2d0c4b9a1e", action=IncidentAction.ACKNOWLEDGE, by="ada", note="on it"
    ),
    Ping(
        heartbeat="nightly-backup",
        signal=Signal.FAIL,
        exit_status=2,
        run="3f2b6a0e-8a53-4c53-9a39-1d3c7f3d7c11",
        body="disk full",
    ),
    DrillAsked(id="d71e", receiver="on-call", by="ada", expires_at=AT + 60_000),
    ResendAsked(
        letter="tocsin.dead-letters/0/17",
        original=b"\x98\x01",
        by="ada",
        expires_at=AT + 7_200_000,
    ),
    OverrideSet(
        id="9f1c",
        schedule="primary",
        user="kim",
        start=AT,
        end=AT + 3_600_000,
        by="ada",
    ),
    OverrideEnded(id="9f1c", by="ada"),
    Delivery.model_validate(
        _WHO
        | {
            "id": "7c1f0e",
            "channel": "webhook",
            "why": Why.FIRST,
            "decided_at": AT,
            "expires_at": AT + 3_600_000,
            "group_labels": {"service": "shop"},
            "common_labels": _LABELS,
            "common_annotations": _ALERT.annotations,
            "told": told((_ALERT,)),
            "external_url": "http://127.0.0.1:8080",
        }
    ),
    Decision.model_validate(
        _WHO
        | {
            "id": "f00d",
            "at": AT,
            "why": Why.FIRST,
            "delivery": "7c1f0e",
            "firing": ("8594749a2738d31d",),
        }
    ),
    IncidentChanged(
        id="0dd5",
        incident="5f2d0c4b9a1e",
        number=1,
        at=AT + 60_000,
        what=What.ACKNOWLEDGED,
        by="ada",
        detail="on it",
        state=IncidentState.ACKNOWLEDGED,
        group_key='{}:{service="shop"}',
        receiver="on-call",
        labels={"service": "shop"},
        opened_at=AT,
        acknowledged_at=AT + 60_000,
    ),
    Health(
        worker="detector-0", stage="detector", at=AT, healthy=True, figures={"series": 12_000.0}
    ),
    DeadLetter(
        topic="tocsin.metrics",
        partition=3,
        offset=42,
        stage="detector",
        reason=Reason.NOT_MSGPACK,
        detail="invalid type Reserved",
        at=AT,
        original=b"\xc1",
    ),
)


def _enveloped(event: Event) -> Envelope:
    measured = isinstance(event, MetricBatch | CheckResult)
    producer = Producer("web-1", AT, 1) if measured else Producer("worker-0")
    return Envelope(f"example-{event.KIND}", producer, AT, event, trace="4bf92f3577b34da6")


EXAMPLES: Final[dict[str, Envelope]] = {event.KIND: _enveloped(event) for event in _EVENTS}
"""By kind."""

"""Any event and any envelope, for laws of the codec."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from schemas.alerts import AlertBatch, AlertLevel, AlertState, PostedAlerts
from schemas.checks import CheckResult, CheckStatus
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Decision, Delivery, Fate, Held, Receipt, Why, told
from schemas.drills import DrillAsked, ResendAsked
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason
from schemas.event import Event
from schemas.gathered import Gathered, Marker
from schemas.heartbeats import Ping, Signal
from schemas.incidents import IncidentAction, IncidentChanged, IncidentCommand, IncidentState
from schemas.labels import Labels, labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.oncall import OverrideEnded, OverrideSet
from schemas.pairs import packed
from schemas.plans import Health, Plan, WakeUp
from schemas.windows import Calendar, Repeat, WindowClosed, WindowEnded, WindowOpened, WindowSet

law = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no reason to fail."""

characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, max_size=20)
names = st.text(characters, min_size=1, max_size=20)
label_maps = st.dictionaries(names, texts, max_size=4)
instants = st.integers(-(2**53), 2**53)
counts = st.integers(0, 2**31)
numbers = st.floats(allow_nan=False)  # NaN is equal to nothing; a test of its own
seconds = st.floats(min_value=0, allow_infinity=False, allow_nan=False)
perhaps = st.none() | instants


@st.composite
def label_sets(draw: st.DrawFn) -> Labels:
    """A series: a metric name and some labels, many shared with other series."""
    own = draw(st.dictionaries(st.sampled_from(["a", "b", "instance"]) | names, texts, max_size=4))
    return labels_of(own | {"__name__": draw(names)})


@st.composite
def metric_batches(draw: st.DrawFn) -> MetricBatch:
    """A batch whose columns agree, in each of the forms they may take."""
    series = draw(st.lists(label_sets(), min_size=1, max_size=4))
    values = draw(st.lists(st.floats(), min_size=1, max_size=6))
    index = None
    if draw(st.booleans()):
        rows = st.integers(0, len(series) - 1)
        index = draw(st.lists(rows, min_size=len(values), max_size=len(values)))
    else:
        values = (values * len(series))[: len(series)]
    width = draw(st.sampled_from([1, len(values)]))
    times = draw(st.lists(instants, min_size=width, max_size=width))
    return metric_batch(draw(names), series, values, times, index)


@st.composite
def gathered(draw: st.DrawFn) -> Gathered:
    """Samples sent on."""
    series = draw(st.lists(label_sets(), min_size=1, max_size=4))
    values = draw(st.lists(st.floats(), min_size=1, max_size=6))
    rows = st.integers(0, len(series) - 1)
    index = draw(st.lists(rows, min_size=len(values), max_size=len(values)))
    times = draw(st.lists(instants, min_size=len(values), max_size=len(values)))
    columns = metric_batch("any", series, values, times, index).model_dump(exclude={"instance"})
    return Gathered(
        group=draw(names),
        digest=draw(names),
        source=draw(counts),
        offset=draw(instants),
        plan=draw(instants),
        at=draw(instants),
        **columns,
    )


levels = st.builds(
    AlertLevel,
    labels=label_maps,
    annotations=label_maps,
    state=st.sampled_from(AlertState),
    active_at=instants,
    starts_at=perhaps,
    ends_at=perhaps,
    value=numbers,
    changed=st.booleans(),
    reason=texts,
    generator_url=texts,
)
alerts = st.lists(levels, max_size=3).map(tuple)


@st.composite
def posted_alerts(draw: st.DrawFn) -> PostedAlerts:
    """Columns of one length."""
    row = st.tuples(label_maps.map(packed), label_maps.map(packed), instants, perhaps, texts)
    columns = list(zip(*draw(st.lists(row, max_size=3)), strict=True)) or [()] * 5
    return PostedAlerts(
        decided_at=draw(instants),
        labels=columns[0],
        annotations=columns[1],
        starts_at=columns[2],
        ends_at=columns[3],
        generator_urls=columns[4],
    )


EVENTS: dict[type[Event], st.SearchStrategy[Event]] = {
    MetricBatch: metric_batches(),
    CheckResult: st.builds(
        CheckResult,
        instance=names,
        check=names,
        target=texts,
        status=st.sampled_from(CheckStatus),
        at=instants,
        duration=seconds,
        message=texts,
        labels=label_maps,
    ),
    Plan: st.builds(
        Plan,
        stage=names,
        number=st.integers(1, 2**53),
        digest=names,
        piece=st.integers(0, 9),
        pieces=st.integers(10, 4_096),
        content=st.binary(max_size=50),
    ),
    WakeUp: st.builds(WakeUp, stage=names, due=instants),
    Gathered: gathered(),
    Marker: st.builds(
        Marker,
        group=names,
        digest=names,
        source=counts,
        sources=st.integers(1, 2**31),
        offset=instants,
        plan=instants,
        at=instants,
    ),
    Health: st.builds(
        Health,
        worker=names,
        stage=names,
        at=instants,
        healthy=st.booleans(),
        message=texts,
        figures=st.dictionaries(
            names, st.floats(allow_nan=False, allow_infinity=False), max_size=4
        ),
    ),
    AlertBatch: st.builds(
        AlertBatch, source=names, plan=instants, decided_at=instants, alerts=alerts
    ),
    PostedAlerts: posted_alerts(),
    Receipt: st.builds(
        Receipt,
        delivery=names,
        group_key=texts,
        receiver=names,
        integration=counts,
        channel=names,
        fate=st.sampled_from(Fate),
        attempt=st.integers(1, 9),
        tries=counts,
        at=instants,
        duration=seconds,
        retry_at=perhaps,
        reason=texts,
        detail=texts,
    ),
    SilenceSet: st.builds(
        SilenceSet,
        id=names,
        sets=st.lists(
            st.lists(
                st.builds(
                    SilenceMatcher,
                    name=names,
                    operator=st.sampled_from(["=", "!=", "=~", "!~"]),
                    value=texts,
                ),
                min_size=1,
                max_size=3,
            ).map(tuple),
            min_size=1,
            max_size=2,
        ).map(tuple),
        starts_at=instants,
        ends_at=instants,
        created_by=texts,
        comment=texts,
        annotations=label_maps,
    ),
    IncidentCommand: st.builds(
        IncidentCommand,
        incident=names,
        action=st.sampled_from(IncidentAction),
        by=texts,
        note=texts,
        until=st.none() | instants,
    ),
    IncidentChanged: st.builds(
        IncidentChanged,
        id=names,
        incident=names,
        number=counts,
        at=instants,
        what=names,
        by=texts,
        detail=texts,
        state=st.sampled_from(IncidentState),
        group_key=texts,
        receiver=names,
        labels=label_maps,
        opened_at=instants,
        acknowledged_at=st.none() | instants,
        resolved_at=st.none() | instants,
        false_positive=st.booleans(),
    ),
    SilenceExpired: st.builds(SilenceExpired, id=names, by=texts),
    OverrideSet: st.builds(
        OverrideSet,
        id=names,
        schedule=names,
        user=names,
        start=instants,
        end=instants,
        by=texts,
    ),
    OverrideEnded: st.builds(OverrideEnded, id=names, by=texts),
    WindowSet: st.builds(
        WindowSet,
        id=names,
        sets=st.just(((SilenceMatcher(name="a", operator="=~", value="b.*"),),)),
        owner=texts,
        comment=texts,
        starts_at=instants,
        ends_at=st.none() | instants,
        calendars=st.lists(
            st.builds(
                Calendar,
                times=st.none() | st.just(((0, 60), (90, 1_440))),
                weekdays=st.none() | st.just(((1, 5),)),
                days_of_month=st.none() | st.just(((-3, -1),)),
                months=st.none() | st.just(((1, 12),)),
                years=st.none() | st.just(((2_026, 2_030),)),
                location=names,
            ),
            max_size=2,
        ).map(tuple),
        repeats=st.lists(
            st.builds(
                Repeat,
                weekdays=st.lists(st.integers(0, 6), max_size=3).map(tuple),
                minute=st.integers(0, 1_439),
                length=st.integers(1, 604_800_000),
                location=names,
            ),
            max_size=2,
        ).map(tuple),
        service=texts,
        timeout=st.none() | st.integers(1, 2**53),
        remind_before=st.none() | st.integers(1, 2**53),
        remind_to=texts,
    ),
    WindowEnded: st.builds(WindowEnded, id=names, by=texts),
    WindowOpened: st.builds(
        WindowOpened, id=names, by=texts, timeout=st.none() | st.integers(1, 2**53)
    ),
    WindowClosed: st.builds(WindowClosed, id=names, by=texts),
    Ping: st.builds(
        Ping,
        heartbeat=names,
        signal=st.sampled_from(Signal),
        exit_status=st.none() | st.integers(0, 255),
        run=st.text(max_size=20),
        body=texts,
    ),
    DrillAsked: st.builds(DrillAsked, id=names, receiver=names, by=texts, expires_at=instants),
    ResendAsked: st.builds(
        ResendAsked,
        letter=names,
        original=st.binary(max_size=50),
        by=texts,
        expires_at=instants,
    ),
    Delivery: st.builds(
        Delivery,
        id=names,
        group_key=texts,
        receiver=names,
        integration=counts,
        channel=names,
        why=st.sampled_from(Why),
        attempt=st.integers(1, 9),
        decided_at=instants,
        expires_at=instants,
        group_labels=label_maps,
        common_labels=label_maps,
        common_annotations=label_maps,
        told=alerts.map(told),
        truncated=counts,
        external_url=texts,
    ),
    Decision: st.builds(
        Decision,
        id=names,
        at=instants,
        group_key=texts,
        receiver=names,
        integration=counts,
        why=st.sampled_from(Why),
        delivery=texts,
        firing=st.lists(names, max_size=3).map(tuple),
        resolved=st.lists(names, max_size=3).map(tuple),
        channel=texts,
        route=st.lists(texts, max_size=3).map(tuple),
        held=st.lists(
            st.builds(
                Held,
                causes=st.lists(texts, max_size=2).map(tuple),
                alerts=st.lists(names, max_size=3).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
        due=st.none() | instants,
        repeat_at=st.none() | instants,
        incident=texts,
        unnamed=counts,
    ),
    DeadLetter: st.builds(
        DeadLetter,
        topic=names,
        partition=counts,
        offset=instants,
        stage=names,
        reason=st.sampled_from(Reason),
        detail=texts,
        at=instants,
        original=st.binary(max_size=50),
    ),
}

envelopes = st.builds(
    Envelope,
    id=names,
    producer=st.builds(Producer, name=names, epoch=instants, sequence=instants),
    sent_at=instants,
    event=st.one_of(*EVENTS.values()),
    tenant=names,
    trace=texts,
)

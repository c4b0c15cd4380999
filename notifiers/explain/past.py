"""What history says of an alert: a timeline, and where the time of its page went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from notifiers.explain.times import clock, length

PAGING = frozenset(
    {
        "first notification",
        "new alerts in group",
        "repeat interval elapsed",
        "escalated",
        "acknowledgement ended",
    }
)
"""Reasons for which people are called, as history has them."""
DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A change of the alert; `appended` is when the log had it. Instants in ms."""

    at: int
    state: str
    active_at: int
    starts_at: int | None
    ends_at: int | None
    reason: str
    appended: int


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision that names the alert; `causes` is what held it, if it was held."""

    at: int
    receiver: str
    channel: str
    group: str
    reason: str
    delivery: str
    role: str
    causes: Sequence[str]
    route: Sequence[str]
    incident: str
    repeat_at: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """An intended delivery, or the answer to an attempt; `duration` in seconds."""

    delivery: str
    status: str
    at: int
    attempt: int
    tries: int
    duration: float
    detail: str
    receiver: str
    channel: str
    appended: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The newest sample behind a verdict: its own time, and when the log had it (ms)."""

    at: int
    appended: int


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored of one alert, oldest first; `labels` of its newest level.

    `sample` is the newest that its expression could read when it first held, if that is known.
    """

    fingerprint: str
    labels: dict[str, str]
    levels: Sequence[LevelRow] = ()
    decisions: Sequence[DecisionRow] = ()
    deliveries: Sequence[DeliveryRow] = ()
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: int
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """Where time went; None where it is not known: then it is in the next part that is."""

    name: str
    ms: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The parts between the alert's beginning and a page's receipt; they add up to `total`."""

    delivery: str
    receiver: str
    start: int
    end: int
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """In ms."""
        return self.end - self.start


def timeline(past: Past, said: dict[str, str], now: int) -> list[Moment]:
    """Everything in the order of time; `said` has the words for causes."""
    told = _decisions(past.decisions, said, now)
    found = [*_levels(past.levels), *told, *_answers(past.deliveries)]
    return sorted(found, key=lambda one: one.at)


def first_page(past: Past) -> tuple[DecisionRow, DeliveryRow] | None:
    """The first page of the alert's newest life that arrived."""
    began = max((one.active_at for one in past.levels), default=0)
    pages = [
        one
        for one in past.decisions
        if one.delivery and one.role == "firing" and one.reason in PAGING and one.at >= began
    ]
    answers = {one.delivery: one for one in past.deliveries if one.status == DELIVERED}
    arrived = [(one, answers[one.delivery]) for one in pages if one.delivery in answers]
    return min(arrived, key=lambda one: one[1].at, default=None)


def breakdown(past: Past) -> Breakdown | None:
    """Where the time of the first page went; None if none arrived."""
    page = first_page(past)
    fired = next((one for one in reversed(past.levels) if one.starts_at is not None), None)
    if page is None or fired is None or fired.starts_at is None:
        return None
    decision, answer = page
    fires = [
        one for one in past.levels if one.state == "firing" and one.starts_at == fired.starts_at
    ]
    intended = [
        one
        for one in past.deliveries
        if one.delivery == decision.delivery and one.status == "intended"
    ]
    logged = min((one.appended for one in fires), default=None)
    published = min((one.appended for one in intended), default=None)
    attempts = f"attempt {answer.attempt}, " if answer.attempt > 1 else ""
    tries = f"{answer.tries} {'try' if answer.tries == 1 else 'tries'}"
    took = f"{attempts}{tries}, {length(round(answer.duration * 1_000))} at {answer.channel}"
    return Breakdown(
        decision.delivery,
        answer.receiver,
        *_chained(
            fired.active_at,
            past.sample,
            (
                ("for", fired.starts_at, "from the first time the expression held to firing"),
                ("detection", logged, "to the verdict in the log"),
                ("waiting", max(decision.at, logged or 0), "group_wait, timers, and what held it"),
                ("routing", published, "to the message in the log"),
                ("delivery", answer.at, took),
            ),
        ),
    )


def _chained(
    began: int, sample: Sample | None, instants: Iterable[tuple[str, int | None, str]]
) -> tuple[int, int, tuple[Part, ...]]:
    """The parts between instants; clocks of several machines never make one negative."""
    if sample is None or sample.at > began:
        start, parts = began, [Part("sample", None, "from the sample to the verdict: not known")]
    else:
        start = sample.at
        logged = f"in the log after {length(sample.appended - sample.at)}"
        text = f"from the newest sample to the verdict; {logged}"
        parts = [Part("sample", began - start, text)]
    last = began
    for name, at, text in instants:
        if at is None:
            parts.append(Part(name, None, text))
            continue
        parts.append(Part(name, max(0, at - last), text))
        last = max(last, at)
    return start, last, tuple(parts)


def _levels(levels: Iterable[LevelRow]) -> Iterable[Moment]:
    for one in levels:
        why = f": {one.reason}" if one.reason else ""
        if one.state == "pending":
            yield Moment(one.active_at, "pending", f"its expression holds{why}")
        elif one.state == "firing":
            at = one.at if one.starts_at is None else one.starts_at
            yield Moment(at, "firing", f"fires{why}")
        else:
            at = one.at if one.ends_at is None else one.ends_at
            yield Moment(at, "resolved", f"resolves{why}")


def _quiet(one: DecisionRow, now: int) -> str:
    if one.repeat_at is None or one.role != "firing":
        return "nothing new to say"
    return f"told already, repeats at {clock(one.repeat_at, now)}"


def _decisions(
    decisions: Iterable[DecisionRow], said: dict[str, str], now: int
) -> Iterable[Moment]:
    sent = set()
    for one in decisions:
        # What was refused is decided once more under its id; it was sent once.
        if one.delivery and one.delivery in sent:
            continue
        sent.add(one.delivery)
        where = one.receiver + (f" ({one.channel})" if one.channel else "")
        if one.causes:
            why = "; ".join(said.get(cause, cause) for cause in one.causes)
            yield Moment(one.at, "held", f"{where}: {why}")
        elif one.delivery:
            yield Moment(one.at, "sent", f"{where}: {one.reason}")
        elif one.reason == "nothing to say":
            yield Moment(one.at, "quiet", f"{where}: {_quiet(one, now)}")
        else:
            yield Moment(one.at, "quiet", f"{where}: {one.reason}, of which it wants no message")


def _answers(deliveries: Iterable[DeliveryRow]) -> Iterable[Moment]:
    for one in deliveries:
        if one.status == "intended":
            continue
        detail = f": {one.detail}" if one.detail else ""
        tries = f"attempt {one.attempt}, {one.tries} {'try' if one.tries == 1 else 'tries'}"
        took = length(round(one.duration * 1_000))
        text = f"{one.receiver} ({one.channel}), {tries}, {took}{detail}"
        yield Moment(one.at, one.status, text)

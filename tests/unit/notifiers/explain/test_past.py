"""What history says: the timeline, and parts of time that add up."""

from hypothesis import given
from hypothesis import strategies as st

from notifiers.explain.past import (
    DecisionRow,
    DeliveryRow,
    LevelRow,
    Past,
    Sample,
    breakdown,
    first_page,
    timeline,
)
from notifiers.explain.times import clock, length

T = 1_769_860_800_000
"""Noon."""


def decision(at: int, reason: str, delivery: str = "", causes: tuple[str, ...] = ()) -> DecisionRow:
    role = "held" if causes and not delivery else "firing"
    return DecisionRow(T + at, "ops", "webhook", "g", reason, delivery, role, causes, (), "i", None)


def answer(at: int, status: str = "delivered", delivery: str = "d", tries: int = 1) -> DeliveryRow:
    return DeliveryRow(
        *(delivery, status, T + at, 1, tries, 0.035, "", "ops", "webhook"), appended=T + at + 5
    )


LEVELS = (
    LevelRow(T, "pending", T, None, None, "", T + 3),
    LevelRow(T + 2_000, "firing", T, T + 2_000, None, "", T + 2_010),
)
PAGED = Past(
    "f",
    {"alertname": "A"},
    LEVELS,
    (decision(12_000, "first notification", "d"),),
    (answer(12_015, "intended", tries=0), answer(12_100)),
    Sample(T - 300, T - 100),
)


def test_the_parts_are_those_between_the_instants_that_are_known() -> None:
    found = breakdown(PAGED)
    assert found is not None
    assert [(part.name, part.ms) for part in found.parts] == [
        ("sample", 300),
        ("for", 2_000),
        ("detection", 10),
        ("waiting", 9_990),
        ("routing", 20),
        ("delivery", 80),
    ]
    assert found.total == 12_400
    assert found.parts[0].text.endswith("in the log after 200 ms")
    assert found.parts[-1].text == "1 try, 35 ms at webhook"


def test_without_an_arrived_page_there_is_nothing_to_break_down() -> None:
    assert breakdown(Past("f", {}, LEVELS)) is None
    refused = Past("f", {}, LEVELS, PAGED.decisions, (answer(12_100, "refused"),))
    assert (first_page(refused), breakdown(refused)) == (None, None)


def test_a_page_of_an_earlier_life_is_not_this_lifes() -> None:
    again = (*LEVELS, LevelRow(T + 90_000, "firing", T + 90_000, T + 90_000, None, "", T + 90_001))
    assert breakdown(Past("f", {}, again, PAGED.decisions, PAGED.deliveries)) is None


def test_what_was_refused_was_sent_once() -> None:
    refused = decision(12_000, "first notification", "d")
    past = Past("f", {}, LEVELS, (refused, refused), (answer(12_100, "refused"),))
    told = [moment.what for moment in timeline(past, {}, T + 60_000)]
    assert told == ["pending", "firing", "sent", "refused"]


def test_the_timeline_is_in_order_and_says_what_held_it() -> None:
    held = decision(3_000, "nothing to say", "", ("silence/s",))
    past = Past("f", {}, LEVELS, (*PAGED.decisions, held), PAGED.deliveries)
    moments = timeline(past, {"silence/s": "silenced by s of ada"}, T)
    assert [(one.what, one.text) for one in moments] == [
        ("pending", "its expression holds"),
        ("firing", "fires"),
        ("held", "ops (webhook): silenced by s of ada"),
        ("sent", "ops (webhook): first notification"),
        ("delivered", "ops (webhook), attempt 1, 1 try, 35 ms"),
    ]


offsets = st.integers(-60_000, 600_000)


@given(
    *(offsets, offsets, offsets, offsets, offsets),
    st.none() | st.builds(Sample, offsets.map(T.__add__), offsets.map(T.__add__)),
)
def test_parts_are_never_negative_and_add_up_whatever_the_clocks_say(
    starts: int, logged: int, told: int, published: int, arrived: int, sample: Sample | None
) -> None:
    firing = LevelRow(T + starts, "firing", T, T + starts, None, "", T + logged)
    rows = (
        DeliveryRow("d", "intended", T + told, 1, 0, 0.0, "", "ops", "file", T + published),
        DeliveryRow("d", "delivered", T + arrived, 1, 1, 0.0, "", "ops", "file", T + arrived),
    )
    first = (decision(max(0, told), "first notification", "d"),)
    found = breakdown(Past("f", {}, (firing,), first, rows, sample))
    assert found is not None
    known = [part.ms for part in found.parts if part.ms is not None]
    assert min(known) >= 0
    assert sum(known) == found.total


@given(st.integers(0, 10**12))
def test_a_length_has_two_units_at_most_and_a_clock_never_fails(ms: int) -> None:
    assert 1 <= len(length(ms).split()) // 2 <= 2
    assert clock(ms, T)
    assert clock(ms * 10**6, T)


def test_lengths_and_clocks_for_people() -> None:
    assert [length(ms) for ms in (0, 35, 1_500, 40_000, 125_000, 3_600_000, 90_000_000)] == [
        *("0 ms", "35 ms", "1.5 s", "40 s", "2 m 5 s", "1 h", "1 d 1 h"),
    ]
    assert (clock(T, T), clock(T + 5_000, T)) == ("12:00", "12:00:05")
    assert clock(T + 86_400_000, T) == "2026-02-01 12:00"

"""Dead deliveries once more: the same id, a new attempt, one at a time."""

from notifiers.drills.resend_book import REMEMBERED, Resend, unpacked_resend
from schemas.deliveries import Delivery
from schemas.drills import ResendAsked
from schemas.labels import derived_id
from schemas.plans import WakeUp
from schemas.stage import Received
from schemas.topics import CODEC
from tests.unit.notifiers.scenario import (
    Scenario,
    delivers,
    is_lost,
    plan,
    postpones,
    refuses,
    sealed,
    seconds,
)

ROUTES = """
route: {receiver: r, group_wait: 0s, group_interval: 10m}
receivers: [{name: r, webhook_configs: [{url: 'http://x/'}]}]
"""


def died() -> tuple[Scenario, Delivery]:
    day = Scenario(ROUTES, courier=refuses).fires(1, "A")
    [(_, delivery)] = day.deliveries
    day.deliveries.clear()
    day.courier = delivers
    return day, delivery


def asked(delivery: Delivery, at: float = 10) -> ResendAsked:
    original = CODEC.encode(sealed(delivery, seconds(1)))
    return ResendAsked(
        letter="tocsin.dead-letters/0/3", original=original, by="ada", expires_at=seconds(at + 300)
    )


def resend(day: Scenario, delivery: Delivery) -> Resend:
    return unpacked_resend(delivery.id, day.router.remembered("resend")[delivery.id])


def test_the_same_message_goes_out_under_its_id_as_a_new_attempt_with_a_new_expiry() -> None:
    day, dead = died()
    day.at(10, asked(dead))
    [(_, sent)] = day.deliveries
    assert sent == dead.model_copy(update={"attempt": 2, "expires_at": seconds(310)})
    found = resend(day, dead)
    assert (found.fate, found.attempt, found.by) == ("delivered", 2, "ada")
    assert found.letter == "tocsin.dead-letters/0/3"
    assert "receipt unknown" not in day.counts


def test_a_second_time_is_a_third_attempt() -> None:
    day, dead = died()
    day.courier = refuses
    day.at(10, asked(dead)).at(20, asked(dead))
    assert [one.attempt for _, one in day.deliveries] == [2, 3]
    assert resend(day, dead).fate == "refused"


def test_a_letter_of_an_early_attempt_is_no_repetition_of_a_later_one() -> None:
    day = Scenario(ROUTES, courier=postpones).fires(1, "A")
    day.courier = delivers
    day.until(60)
    first, second = (one for _, one in day.deliveries)
    assert (first.id, first.attempt, second.attempt) == (second.id, 1, 2)
    record = Received(day.offset, sealed(asked(first, 70), seconds(70)))
    [again] = [
        one
        for one in day.router.step([record], seconds(70)).outputs
        if isinstance(one.event, Delivery)
    ]
    assert again.id != derived_id("attempt", second.id, second.attempt)


def test_while_one_is_under_way_no_other_is_sent() -> None:
    day, dead = died()
    day.courier = is_lost
    day.at(10, asked(dead)).restart().at(20, asked(dead))
    assert len(day.deliveries) == 1
    assert (resend(day, dead).attempt, resend(day, dead).problem) == (2, "")
    assert len(day.at(320, asked(dead)).deliveries) == 2


def test_what_the_router_still_sends_itself_is_left_to_it() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(1, "A")
    [(_, delivery)] = day.deliveries
    day.at(10, asked(delivery))
    assert len(day.deliveries) == 1
    assert "by itself" in resend(day, delivery).problem


def test_a_channel_that_is_gone_or_another_now_is_a_reason() -> None:
    for change, words in (
        ("webhook_configs: [{url: 'http://x/'}]", 'no channel 0 of a receiver "r"'),
        ("webhook_configs: [{url: 'http://x/'}]", "is now file"),
    ):
        day, dead = died()
        new = "file_configs: [{path: f}]" if "file" in words else ""
        text = ROUTES.replace(change, new) if new else ROUTES.replace(f", {change}", "")
        day.at(5, *plan(text, 2)).at(10, asked(dead))
        assert words in resend(day, dead).problem
        assert [one for _, one in day.deliveries if one.id == dead.id] == []


def test_what_is_no_delivery_is_refused_and_counted() -> None:
    day, dead = died()
    other = CODEC.encode(sealed(WakeUp(stage="router", due=1), 1))
    for original in (b"\xc1", other):
        day.at(10, asked(dead).model_copy(update={"original": original}))
    assert (day.counts["resend refused"], day.deliveries) == (2, [])
    assert day.router.remembered("resend") == {}


def test_the_number_of_the_last_attempt_is_known_for_as_long_as_the_letter_is() -> None:
    day, dead = died()
    day.at(10, asked(dead)).until(9 + REMEMBERED / 1_000)
    assert resend(day, dead).attempt == 2
    day.until(10 + REMEMBERED / 1_000)
    assert day.router.remembered("resend") == {}

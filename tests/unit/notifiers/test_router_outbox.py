import pytest

from schemas.deliveries import Delivery, Fate, Receipt, Why
from schemas.errors import Reason
from schemas.topics import CODEC, MAX_MESSAGE
from tests.unit.notifiers.scenario import (
    Scenario,
    Told,
    batch,
    delivers,
    is_lost,
    level,
    plan,
    postpones,
    receipt,
    refuses,
    sealed,
    seconds,
)

ROUTES = """
route: {receiver: ops, group_wait: 0s, group_interval: 1m, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/', send_resolved: SEND}]}]
""".replace("SEND", "true")


def test_while_a_delivery_is_outstanding_a_resolve_waits_and_then_follows() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(0, "A").resolves(10, "A").until(90)
    assert [one.why for one in day.told()] == [Why.FIRST]
    day.at(95, receipt(day.deliveries[0][1], seconds(95)))
    assert day.told()[1:] == [Told(95, "ops", Why.ALL_RESOLVED, "", "A")]


def test_what_a_message_said_to_be_over_the_one_that_waited_for_it_does_not_say_again() -> None:
    """As Alertmanager, whose group forgets an alert once its end was told."""
    day = Scenario(ROUTES).fires(0, "A", "B", "C")
    day.courier = is_lost
    day.resolves(10, "A").until(60).resolves(70, "B").until(120)
    day.courier = delivers
    day.at(125, receipt(day.deliveries[-1][1], seconds(125)))
    assert day.told()[1:] == [
        Told(60, "ops", Why.SOME_RESOLVED, "B C", "A"),
        Told(125, "ops", Why.SOME_RESOLVED, "C", "B"),
    ]
    day.resolves(130, "C").until(10_000)
    assert day.told()[3:] == [Told(180, "ops", Why.ALL_RESOLVED, "", "C")]


def test_a_group_that_was_told_its_end_closes_though_a_flush_waited_meanwhile() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(0, "A", "B").resolves(10, "A", "B").until(70)
    day.at(80, receipt(day.deliveries[0][1], seconds(80)))
    assert day.told()[1:] == [Told(80, "ops", Why.ALL_RESOLVED, "", "A B")]
    day.until(150).at(160, receipt(day.deliveries[-1][1], seconds(160))).until(10_000)
    assert len(day.told()) == 2
    assert not [key for key in day.state if key.startswith(("group/", "outbox/"))]


def test_without_a_receipt_the_same_delivery_is_sent_again_after_its_deadline() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(0, "A").until(260)
    first, second, third = (one for _, one in day.deliveries)
    assert [at for at, _ in day.deliveries] == [0, 120, 240]
    assert first.id == second.id == third.id
    assert [one.attempt for one in (first, second, third)] == [1, 2, 3]
    assert second.expires_at == seconds(120 + 60)
    assert second.alerts == first.alerts


def test_without_a_receipt_newer_state_goes_out_under_a_new_id() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(0, "A").fires(70, "B").until(130)
    assert day.told_briefly() == [(0, Why.FIRST, "A"), (120, Why.FIRST, "A B")]
    assert len({one.id for _, one in day.deliveries}) == 2


def test_what_resolved_before_anybody_was_told_is_not_told_any_more() -> None:
    day = Scenario(ROUTES, courier=postpones).fires(0, "A").resolves(4, "A").until(1_000)
    assert day.told_briefly() == [(0, Why.FIRST, "A")]
    assert not [key for key in day.state if key.startswith(("group/", "outbox/"))]


def test_a_retry_keeps_the_id_and_backs_off_until_the_delivery_expires() -> None:
    day = Scenario(ROUTES, courier=postpones).fires(0, "A").until(59)
    assert [at for at, _ in day.deliveries] == [0, 5, 15, 35]
    assert len({one.id for _, one in day.deliveries}) == 1
    assert [one.attempt for _, one in day.deliveries] == [1, 2, 3, 4]
    day.until(80)
    assert day.told()[-1] == Told(75, "ops", Why.FIRST, "A", "")
    assert day.deliveries[-1][1].id != day.deliveries[0][1].id


def test_a_receiver_that_wants_to_be_left_alone_is() -> None:
    def later(delivery: Delivery, at: int) -> Receipt | None:
        return receipt(delivery, at, Fate.RETRY, retry_at=at + 600_000)

    day = Scenario(ROUTES, courier=later).fires(0, "A").until(1_000)
    assert [at for at, _ in day.deliveries] == [0, 600]


def test_a_refused_page_is_tried_anew_at_the_next_tick_and_not_sooner() -> None:
    day = Scenario(ROUTES, courier=refuses).fires(0, "A").until(130)
    assert day.told_briefly() == [(0, Why.FIRST, "A"), (60, Why.FIRST, "A"), (120, Why.FIRST, "A")]
    assert len({one.id for _, one in day.deliveries}) == 3
    assert day.counts["receipt refused"] == 3


def test_an_expired_delivery_is_decided_anew_soon() -> None:
    def expired(delivery: Delivery, at: int) -> Receipt | None:
        return receipt(delivery, at, Fate.REFUSED, reason=str(Reason.DELIVERY_EXPIRED))

    day = Scenario(ROUTES, courier=is_lost).fires(0, "A").until(90)
    day.at(90, expired(day.deliveries[0][1], seconds(90)) or pytest.fail("no receipt"))
    day.until(96)
    assert day.told_briefly() == [(0, Why.FIRST, "A"), (95, Why.FIRST, "A")]


def test_a_receipt_counts_once_and_a_strange_one_not_at_all() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(0, "A")
    answer = receipt(day.deliveries[0][1], seconds(1))
    day.at(1, answer, answer, answer.model_copy(update={"delivery": "other"})).until(500)
    assert day.counts["receipt unknown"] == 2
    assert day.told_briefly() == [(0, Why.FIRST, "A")]


def test_without_send_resolved_the_end_is_not_told_but_the_next_beginning_is() -> None:
    day = Scenario(ROUTES.replace("send_resolved: true", "send_resolved: false"))
    day.fires(0, "A", "B").resolves(10, "A").resolves(70, "B").fires(200, "B").until(400)
    assert day.told() == [
        Told(0, "ops", Why.FIRST, "A B", ""),
        Told(200, "ops", Why.FIRST, "B", ""),
    ]
    assert Why.ALL_RESOLVED in [one.why for one in day.decisions]


def test_a_receiver_without_channels_keeps_nothing() -> None:
    day = Scenario("route: {receiver: none, group_wait: 0s}\nreceivers: [{name: none}]")
    day.fires(0, "A").resolves(10, "A").until(1_000)
    assert day.told() == []
    assert not [key for key in day.state if key.startswith("group/")]


def test_every_channel_of_a_receiver_is_told_and_followed_by_itself() -> None:
    def half(delivery: Delivery, at: int) -> Receipt | None:
        return postpones(delivery, at) if delivery.integration else receipt(delivery, at)

    config = ROUTES.replace("}]}]", "}], file_configs: [{path: f}]}]")
    day = Scenario(config, courier=half).fires(0, "A").until(6)
    sent = [(one.channel, one.integration, one.attempt) for _, one in day.deliveries]
    assert sent == [("webhook", 0, 1), ("file", 1, 1), ("file", 1, 2)]


def test_a_storm_in_one_group_is_one_message_that_fits() -> None:
    day = Scenario(ROUTES.replace("group_wait: 0s", "group_wait: 5s"))
    for start in range(0, 5_000, 500):
        levels = (
            level("firing", 1, alertname=f"A{n}", x="y" * 100) for n in range(start, start + 500)
        )
        day.at(1, batch(1, *levels))
    day.until(10)
    [(_, sent)] = day.deliveries
    assert sent.truncated > 0
    assert sent.truncated + len(sent.alerts) == 5_000
    assert len(CODEC.encode(sealed(sent, 0))) < MAX_MESSAGE
    day.restart().until(200)
    assert len(day.deliveries) == 1


def test_an_alert_as_large_as_a_message_still_pages() -> None:
    config = ROUTES.replace("group_wait", "group_by: ['...'], group_wait")
    day = Scenario(config).at(1, batch(1, level("firing", 1, alertname="A", x="ü" * 60_000)))
    big = {f"label{n}": "ü" * 5_000 for n in range(60)}
    day.at(2, batch(2, level("firing", 2, **big)))
    assert len(day.deliveries) == 2
    for _, sent in day.deliveries:
        assert len(CODEC.encode(sealed(sent, 0))) < MAX_MESSAGE


def test_max_alerts_cuts_and_says_so() -> None:
    day = Scenario(ROUTES.replace("send_resolved: true", "max_alerts: 2")).fires(0, "A", "B", "C")
    assert (len(day.deliveries[0][1].alerts), day.deliveries[0][1].truncated) == (2, 1)


def test_a_decision_is_recorded_when_its_reason_changes_and_not_at_every_tick() -> None:
    day = Scenario(ROUTES).fires(0, "A").until(1_000)
    assert [one.why for one in day.decisions] == [Why.FIRST, Why.NOTHING]
    assert day.decisions[0].delivery == day.deliveries[0][1].id


def test_a_restart_forgets_nothing() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(0, "A").fires(70, "B").restart()
    day.at(80, receipt(day.deliveries[0][1], seconds(80))).restart().until(90)
    assert day.told_briefly() == [(0, Why.FIRST, "A"), (80, Why.GREW, "A B")]


def test_a_plan_is_needed_to_tell_anything_and_alerts_wait_for_it() -> None:
    day = Scenario().fires(0, "A").until(50).at(50, *plan(ROUTES))
    assert day.told_briefly() == [(50, Why.FIRST, "A")]

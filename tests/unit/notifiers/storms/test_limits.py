"""Rate limits: above them pages wait for one digest, and none is lost."""

import pytest

from notifiers.config import read
from notifiers.storms import digest
from schemas.deliveries import Delivery, Fate, Receipt, Why
from tests.unit.notifiers.scenario import (
    Scenario,
    delivers,
    is_lost,
    plan,
    receipt,
)

ROUTES = """
route: {{receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 5m}}
receivers:
- name: hook
  rate_limit: {limit}
  webhook_configs: [{{url: 'http://x/', max_alerts: 3}}]
"""
LIMITED = ROUTES.format(limit="{messages: 2, per: 1m}")


def briefly(day: Scenario) -> list[tuple[float, str, str]]:
    return [
        (at, one.why, " ".join(level.labels["alertname"] for level in one.alerts))
        for at, one in day.deliveries
    ]


def test_what_is_above_the_limit_is_told_in_one_digest_when_the_window_allows() -> None:
    day = Scenario(LIMITED).fires(1, "a", "b", "c", "d", "e", "f").until(70)
    assert [(at, why) for at, why, _ in briefly(day)] == [
        (1, Why.FIRST),
        (1, Why.FIRST),
        (61, Why.DIGEST),
    ]
    digest = day.deliveries[-1][1]
    assert len(digest.alerts) == 3
    assert digest.truncated == 1
    assert digest.notice.startswith("4 groups held back by the rate limit: 4 fire. 4 alerts firing")
    told = {day.deliveries[0][1].alerts[0].labels["alertname"]}
    told.add(day.deliveries[1][1].alerts[0].labels["alertname"])
    left = sorted({*"abcdef"} - told)
    assert f"{left[0]} 1, {left[1]} 1, {left[2]} 1, {left[3]} 1." in digest.notice


def test_what_a_digest_told_is_not_told_again_and_its_resolve_follows() -> None:
    day = Scenario(LIMITED).fires(1, *"abcd").until(200)
    assert len(day.deliveries) == 3
    day.resolves(250, *"abcd", since=1).until(400)
    resolves = day.deliveries[3:]
    assert [(at, one.why) for at, one in resolves[:2]] == [(301, Why.ALL_RESOLVED)] * 2
    assert resolves[2][1].why is Why.DIGEST
    assert "2 groups held back by the rate limit: 2 resolved." in resolves[2][1].notice
    day.until(2_000)
    assert len(day.deliveries) == 6
    assert not day.router.groups()


def test_what_resolves_before_the_digest_came_and_went() -> None:
    day = Scenario(LIMITED).fires(1, *"abcde").until(20)
    held = {*"abcde"} - {one.alerts[0].labels["alertname"] for _, one in day.deliveries}
    gone = sorted(held)[:2]
    day.resolves(30, *gone, since=1).until(70)
    digest = day.deliveries[-1][1]
    assert "3 groups held back by the rate limit: 1 fire, 2 came and went." in digest.notice
    assert [one.state for one in digest.alerts] == ["firing", "resolved", "resolved"]
    day.until(1_000)
    assert len(day.deliveries) == 3
    assert len(day.router.groups()) == 3


def test_a_digest_of_one_group_is_its_page() -> None:
    day = Scenario(LIMITED).fires(1, *"abc").until(70)
    assert [why for _, why, _ in briefly(day)] == [Why.FIRST] * 3
    assert not day.deliveries[-1][1].notice


def test_what_is_exempt_goes_out_at_once_and_does_not_count() -> None:
    limit = """{messages: 1, per: 1m, except: ['severity="critical"']}"""
    day = Scenario(ROUTES.format(limit=limit))
    day.fires(1, "a", "b").fires(2, "c", "d", severity="critical").until(10)
    assert len(day.deliveries) == 3
    assert [one.why for _, one in day.deliveries] == [Why.FIRST] * 3


def test_without_a_limit_nothing_is_held() -> None:
    day = Scenario(ROUTES.format(limit="off")).fires(1, *"abcdef").until(2)
    assert len(day.deliveries) == 6


def test_the_limit_of_the_file_holds_for_receivers_that_say_nothing() -> None:
    text = LIMITED.replace("  rate_limit: {messages: 2, per: 1m}\n", "")
    day = Scenario(text + "rate_limit: {messages: 3, per: 1m}").fires(1, *"abcdef").until(2)
    assert len(day.deliveries) == 3


def test_a_digest_that_is_refused_is_told_later() -> None:
    refused: list[str] = []

    def courier(delivery: Delivery, at: int) -> Receipt | None:
        if delivery.why is Why.DIGEST and not refused:
            refused.append(delivery.id)
            return receipt(delivery, at, Fate.REFUSED)
        return delivers(delivery, at)

    day = Scenario(LIMITED, courier=courier).fires(1, *"abcd").until(300)
    assert len(day.deliveries) == 3
    day.until(400)
    assert [(at, one.why) for at, one in day.deliveries[2:]] == [
        (61, Why.DIGEST),
        (361, Why.DIGEST),
    ]
    assert len({one.id for _, one in day.deliveries}) == 4


def test_a_digest_is_sent_again_under_its_id_and_replaced_when_its_alerts_change() -> None:
    failing = [True]

    def courier(delivery: Delivery, at: int) -> Receipt | None:
        if delivery.why is Why.DIGEST and failing[0]:
            return receipt(delivery, at, Fate.RETRY)
        return delivers(delivery, at)

    day = Scenario(LIMITED, courier=courier).fires(1, *"abcde").until(67)
    digests = [one for _, one in day.deliveries if one.why is Why.DIGEST]
    assert [one.attempt for one in digests] == [1, 2]
    assert len({one.id for one in digests}) == 1
    names = [one.labels["alertname"] for one in digests[0].alerts]
    failing[0] = False
    day.resolves(68, names[0], since=1).until(200)
    last = day.deliveries[-1][1]
    assert last.why is Why.DIGEST
    assert last.id != digests[0].id
    assert "2 fire, 1 came and went" in last.notice
    assert day.counts["delivery replaced"] == 1


def test_a_digest_of_which_nothing_is_heard_is_sent_again_under_its_id() -> None:
    day = Scenario(LIMITED, courier=is_lost).fires(1, *"abcd").until(1_000)
    digests = [one for _, one in day.deliveries if one.why is Why.DIGEST]
    assert len(digests) > 1
    assert len({one.id for one in digests}) == 1


def test_a_router_that_begins_again_goes_on_where_it_was() -> None:
    undisturbed = Scenario(LIMITED).fires(1, *"abcde").until(500)
    day = Scenario(LIMITED).fires(1, *"abcde").restart().until(30).restart().until(61).restart()
    assert [one for _, one in day.until(500).deliveries] == [
        one for _, one in undisturbed.deliveries
    ]


def test_a_plan_without_the_limit_tells_what_is_held_at_once() -> None:
    day = Scenario(LIMITED).fires(1, *"abcde").until(10)
    day.at(11, *plan(ROUTES.format(limit="off"), number=2)).until(12)
    assert [(at, one.why) for at, one in day.deliveries[2:]] == [(11, Why.DIGEST)]


def test_a_plan_without_the_channel_lets_go_of_the_queue() -> None:
    day = Scenario(LIMITED).fires(1, *"abcde").until(61)
    other = LIMITED.replace("webhook_configs: [{url: 'http://x/', max_alerts: 3}]", "")
    day.at(62, *plan(other.replace("hook", "other"), number=2)).until(700)
    assert not [key for key in day.state if key.startswith("limit/")]


def test_the_group_of_a_held_page_stays_until_it_is_told() -> None:
    text = LIMITED.replace("5m", "10s")
    day = Scenario(text).fires(1, *"abc").until(5)
    held = ({*"abc"} - {one.alerts[0].labels["alertname"] for _, one in day.deliveries}).pop()
    day.resolves(6, held, since=1).until(70)
    assert "1 group held back by the rate limit: 1 came and went." in day.deliveries[-1][1].notice


def test_errors_name_the_line_and_what_is_wanted() -> None:
    def said(limit: str) -> list[str]:
        config, problems = read(ROUTES.format(limit=limit), "routes.yml")
        assert config is None
        return [f"{one.line}: {one.key}: {one.message}" for one in problems]

    assert said("on") == ["5: receivers[0].rate_limit: a mapping is wanted here"]
    assert said("{messages: 10}") == ["5: receivers[0].rate_limit.per: missing per"]
    assert said("{messages: 0, per: 1m}") == [
        "5: receivers[0].rate_limit.messages: from 1 to 1000 messages are wanted"
    ]
    assert said("{messages: 1, per: 1ms}") == [
        "5: receivers[0].rate_limit.per: a time from 1s to 1d is wanted"
    ]
    assert said("{messages: 1, per: 1m, except: ['=']}")[0].startswith(
        "5: receivers[0].rate_limit.except: "
    )
    assert said("{messages: 1, per: 1m, burst: 3}") == [
        "5: receivers[0].rate_limit.burst: unknown key"
    ]


def test_a_digest_of_many_groups_is_one_message_gathered_over_several_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(digest, "AT_ONCE", 3)
    day = Scenario(LIMITED).fires(1, *"abcdefghijkl").until(61)
    told = len(day.decisions)
    assert len(day.deliveries) == 2
    assert len(day.router.incidents()) == 2 + 3
    day.until(62)
    assert [(at, one.why) for at, one in day.deliveries[2:]] == [(61.004, Why.DIGEST)]
    assert "10 groups held back by the rate limit: 10 fire." in day.deliveries[-1][1].notice
    assert len(day.decisions) == told + 7
    day.until(280)
    assert len(day.router.incidents()) == 12
    assert len(day.deliveries) == 3


def test_what_comes_while_a_digest_is_gathered_is_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(digest, "AT_ONCE", 1)
    day = (
        Scenario(LIMITED.replace("max_alerts: 3", "max_alerts: 0"))
        .fires(1, *"abcdef")
        .until(61.001)
    )
    day.fires(61.001, *"ghijkl").resolves(61.001, *"abcdef", since=1).until(3_600)
    said = [(at, one.why) for at, one in day.deliveries]
    assert Why.DIGEST in [why for _, why in said]
    believed = {
        level.labels["alertname"]: level.state for _, one in day.deliveries for level in one.alerts
    }
    assert believed == dict.fromkeys("ghijkl", "firing") | dict.fromkeys("abcdef", "resolved")
    for (first, _), (beyond, _) in zip(day.deliveries, day.deliveries[2:], strict=False):
        assert beyond - first >= 60


def test_a_resolve_that_is_held_and_muted_is_in_the_digest() -> None:
    text = LIMITED + (
        "dependencies:\n- {parent: [alertname=z], child: [alertname=b], grace: 7s, lookback: 1h}\n"
    )
    text = text.replace("5m", "10s")
    day = Scenario(text).fires(1, "b").fires(2, "y").until(5).fires(6, "c", "z")
    day.resolves(8, "b", since=1).until(100)
    assert "resolved" in day.deliveries[-1][1].notice
    last = [
        level for _, one in day.deliveries for level in one.alerts if "b" in level.labels.values()
    ]
    assert [one.state for one in last] == ["firing", "resolved"]

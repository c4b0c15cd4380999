"""One limit over all that reaches a person: its laws, and who comes first."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.config import read
from notifiers.explain.asked import Asked
from notifiers.group import line_id
from notifiers.storms.limit_book import PERSON
from schemas.alerts import AlertState
from schemas.deliveries import Delivery, Fate, Receipt, Why
from tests.unit.notifiers.scenario import START, Scenario, delivers, plan, receipt, seconds
from tests.unit.notifiers.storms.test_storm_laws import (
    Doing,
    Luck,
    doings,
    last_words,
    played,
    restarts_change_nothing,
)

LIMIT, PER = 2, 30
ROUTES = """
route:
  receiver: chat
  group_by: ['...']
  group_wait: 0s
  group_interval: 10s
  repeat_interval: 300h
  routes:
  - {receiver: ada-mail, continue: true}
  - {receiver: ada-phone, continue: true}
  - {receiver: chat}
receivers:
- {name: ada-mail, webhook_configs: [{url: 'http://x/'}]}
- {name: ada-phone, webhook_configs: [{url: 'http://x/'}]}
- {name: chat, webhook_configs: [{url: 'http://x/'}]}
users:
- {name: ada, rate_limit: {messages: 2, per: 30s}, contacts: [ada-mail, ada-phone, chat]}
- {name: bob, contacts: [chat]}
"""
ADA = ("ada-mail", "ada-phone")
OWN = ROUTES.replace("{name: ada-mail,", "{name: ada-mail, rate_limit: {messages: 1, per: 40s},")
files = st.sampled_from([ROUTES, OWN, ROUTES.replace("'...'", "alertname")])


def told(day: Scenario) -> list[tuple[float, str, Why]]:
    return [(at, one.receiver, one.why) for at, one in day.deliveries if one.receiver in ADA]


def test_a_persons_receivers_share_their_limit_and_what_others_read_too_does_not() -> None:
    day = Scenario(ROUTES).fires(1, *"abcdef").until(200)
    assert [(at, why) for at, _, why in told(day)] == [
        *[(1, Why.FIRST)] * 2,
        *[(31, Why.DIGEST)] * 2,
    ]
    assert sorted(name for _, name, why in told(day) if why is Why.DIGEST) == [*ADA]
    assert sum(one.receiver == "chat" for _, one in day.deliveries) == 6
    assert all(at == 1 for at, one in day.deliveries if one.receiver == "chat")


def test_whoever_was_told_longest_ago_is_first_so_no_channel_starves() -> None:
    day = Scenario(ROUTES.replace("messages: 2", "messages: 1"))
    for second in range(1, 200, 5):
        day.fires(second, f"alert-{second}")
    day.until(400)
    digests = [name for _, name, why in told(day) if why is Why.DIGEST]
    assert len(digests) >= 6
    assert all(one != other for one, other in pairwise(digests))


def test_a_noisy_group_that_looks_when_the_room_opens_does_not_take_it_from_who_waits() -> None:
    at_once = ROUTES.replace("messages: 2, per: 30s", "messages: 1, per: 60s")
    apart = at_once.replace("'...'", "alertname").replace("interval: 10s", "interval: 60s")
    for name in ADA:
        before = f"{{receiver: {name}, continue: true}}"
        apart = apart.replace(before, f"{{receiver: {name}, matchers: ['to={name}']}}")
    day = Scenario(apart).fires(1, "noisy", to=ADA[0], i="0").fires(5, "down", to=ADA[1])
    for number in range(1, 60):
        day.fires(5 + 30 * number, "noisy", to=ADA[0], i=str(number))
    day.until(1_800)
    assert [at for at, name, _ in told(day) if name == ADA[1]] == [61]
    assert len([at for at, name, _ in told(day) if name == ADA[0]]) > 20


def test_a_channel_that_refuses_does_not_stand_in_the_others_way() -> None:
    def courier(delivery: Delivery, at: int) -> Receipt | None:
        refused = delivery.receiver == "ada-phone"
        return receipt(delivery, at, Fate.REFUSED) if refused else delivers(delivery, at)

    day = Scenario(ROUTES, courier=courier).fires(1, *"abcdef").until(200)
    mail = [one for _, one in day.deliveries if one.receiver == "ada-mail"]
    assert {level.labels["alertname"] for one in mail for level in one.alerts} == {*"abcdef"}


def test_what_the_person_exempts_goes_out_at_once() -> None:
    limit = """{messages: 1, per: 30s, except: ['severity="critical"']}"""
    day = Scenario(ROUTES.replace("{messages: 2, per: 30s}", limit))
    day.fires(1, "a").fires(2, "b", "c", severity="critical").until(3)
    assert [at for at, _, _ in told(day)] == [1, 2, 2, 2, 2]


def test_explain_names_whose_limit_holds_it() -> None:
    day = Scenario(ROUTES).fires(1, *"abcdef").until(5)
    found = day.router.explained(Asked(labels={"alertname": "f"}), seconds(5))
    texts = {c.text for one in found for way in one.ways for c in way.channels if c.held}
    assert texts
    assert all("held by the rate limit of user ada for its next digest" in one for one in texts)


def test_a_plan_without_the_persons_limit_tells_what_is_held_at_once() -> None:
    day = Scenario(ROUTES).fires(1, *"abcdef").until(10)
    assert f"limit/{line_id('ada', PERSON, 0)}" in day.state
    day.at(11, *plan(ROUTES.replace("rate_limit: {messages: 2, per: 30s}, ", ""), number=2))
    day.until(12)
    assert {name for at, name, _ in told(day) if at > 10} == {*ADA}
    assert f"limit/{line_id('ada', PERSON, 0)}" not in day.until(13).state


@settings(max_examples=40, deadline=None)
@given(files, doings, st.lists(st.sampled_from([Fate.DELIVERED, *Fate]), max_size=12))
def test_nothing_is_lost_on_any_channel(text: str, script: list[Doing], fates: list[Fate]) -> None:
    luck = Luck(fates)
    day = played(text, script, luck, restarts=True)
    fires = {one.fingerprint for one in day.router.alerts() if one.state is AlertState.FIRING}
    for name in (*ADA, "chat"):
        heard = Luck([], [(at, one) for at, one in luck.arrived if one.receiver == name])
        believed = last_words(heard)
        assert {one for one, state in believed.items() if state is AlertState.FIRING} == fires


@settings(max_examples=40, deadline=None)
@given(files, doings, st.booleans())
def test_no_window_holds_more_messages_to_a_person_than_the_limit(
    text: str, script: list[Doing], refuses: bool
) -> None:
    day = played(text, script, Luck([Fate.REFUSED] * 5 if refuses else []), restarts=True)
    sent = sorted(START + round(at * 1_000) for at, _, _ in told(day))
    for first, beyond in zip(sent, sent[LIMIT:], strict=False):
        assert beyond - first >= PER * 1_000


@settings(max_examples=25, deadline=None)
@given(files, doings, st.lists(st.sampled_from([Fate.DELIVERED, *Fate]), max_size=12))
def test_restarts_change_nothing(text: str, script: list[Doing], fates: list[Fate]) -> None:
    restarts_change_nothing(text, script, fates)


@pytest.mark.parametrize("limit", ["{messages: 0, per: 1m}", "on"])
def test_a_wrong_limit_names_its_line(limit: str) -> None:
    config, problems = read(ROUTES.replace("{messages: 2, per: 30s}", limit), "routes.yml")
    assert config is None
    assert [(one.line, one.key.split(".")[:2]) for one in problems] == [
        (17, ["users[0]", "rate_limit"])
    ]

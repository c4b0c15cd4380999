"""One record for each change of decision, with what holds each alert."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers import holding
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.deliveries import Decision, Why
from schemas.incidents import IncidentAction, IncidentCommand
from tests.unit.notifiers.scenario import Scenario, fp, seconds

ROUTES = """
route:
  receiver: ops
  group_by: [service]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 10m
  routes:
  - {matchers: [severity=none], receiver: "null"}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}, {name: "null"}]
"""
INHIBITS = """
inhibit_rules:
- {source_matchers: [alertname=S], target_matchers: [alertname=T]}
"""


def silence(start: float, end: float, value: str, name: str = "s") -> SilenceSet:
    matcher = SilenceMatcher(name="alertname", operator="=~", value=value)
    return SilenceSet(
        id=name,
        sets=((matcher,),),
        starts_at=seconds(start),
        ends_at=seconds(end),
        created_by="ann",
        comment="work",
    )


def held(decision: Decision) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(one.causes, one.alerts) for one in decision.held]


def test_an_unchanged_silence_is_one_record_however_often_it_is_looked_at() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 5_000, "A")).fires(5, "A").until(2_000)
    [one] = day.decisions
    assert (one.why, one.firing) == (Why.NOTHING, ())
    assert held(one) == [(("silence/s",), (fp(alertname="A"),))]


def test_another_alert_under_the_same_silence_is_a_change() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 5_000, "A|B")).fires(5, "A").fires(100, "B").until(900)
    assert [len(held(one)[0][1]) for one in day.decisions] == [1, 2]


def test_another_cause_for_the_same_alert_is_a_change() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 5_000, "A")).fires(5, "A").until(100)
    day.at(100, silence(100, 5_000, "A.*", "t")).until(900)
    assert [held(one)[0][0] for one in day.decisions] == [
        ("silence/s",),
        ("silence/s", "silence/t"),
    ]


def test_what_is_sent_says_what_was_not() -> None:
    day = Scenario(ROUTES + INHIBITS).fires(5, "S", "T").until(30)
    [one] = day.decisions
    assert (one.why, one.firing) == (Why.FIRST, (fp(alertname="S"),))
    assert held(one) == [((f"alert/{fp(alertname='S')}",), (fp(alertname="T"),))]
    assert (one.channel, one.route, one.due) == ("webhook", ("{}",), seconds(75))
    assert one.repeat_at == seconds(675)


def test_the_repeat_comes_when_the_record_said() -> None:
    day = Scenario(ROUTES).fires(5, "A").until(3_000)
    tells = [one for one in day.decisions if one.why is not Why.NOTHING]
    assert [one.repeat_at for one in tells[:-1]] == [one.at for one in tells[1:]]


def test_an_acknowledged_group_names_the_incident_that_holds_it() -> None:
    day = Scenario(ROUTES).fires(5, "A").until(20)
    incident = day.deliveries[0][1].incident
    act = IncidentCommand(incident=incident, action=IncidentAction.ACKNOWLEDGE, by="ann")
    day.at(30, act).until(2_000)
    last = day.decisions[-1]
    assert (last.why, last.incident) == (Why.NOTHING, incident)
    assert held(last) == [((f"ack/{incident}",), (fp(alertname="A"),))]


def test_a_receiver_without_channels_is_recorded_once() -> None:
    day = Scenario(ROUTES).fires(5, "A", severity="none").until(900).restart().until(2_000)
    [one] = day.decisions
    assert (one.receiver, one.channel, one.why) == ("null", "", Why.NOTHING)
    assert held(one) == [(("receiver/null",), (fp(alertname="A", severity="none"),))]
    day.resolves(2_001, "A", since=5, severity="none").until(2_100)
    assert not [key for key in day.state if key.startswith(("group/", "outbox/"))]


def test_the_end_of_a_silence_is_a_record_that_holds_nothing() -> None:
    day = Scenario(ROUTES).fires(5, "A").at(20, silence(20, 9_000, "A")).until(200)
    day.at(200, SilenceExpired(id="s")).until(400)
    assert [bool(one.held) for one in day.decisions] == [False, True, False]


names = st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}")
causes = st.lists(st.sampled_from(["silence/a", "alert/b", "time/c"]), min_size=1, unique=True)
hidden = st.dictionaries(names, causes.map(tuple), max_size=20)


@given(hidden, hidden)
def test_two_digests_are_the_same_only_for_the_same(
    one: dict[str, tuple[str, ...]], other: dict[str, tuple[str, ...]]
) -> None:
    backwards = dict(reversed(one.items()))
    assert holding.digest(one) == holding.digest(backwards)
    assert (holding.digest(one) == holding.digest(other)) == (one == other)


@given(hidden, hidden.map(frozenset), st.booleans())
def test_an_alert_is_listed_once_with_all_of_its_causes(
    muted: dict[str, tuple[str, ...]], firing: frozenset[str], covered: bool
) -> None:
    found = holding.held(muted, firing, "ack/i" if covered else "", firing)
    listed, unnamed = holding.listed(found)
    assert unnamed == 0
    assert {alert: one.causes for one in listed for alert in one.alerts} == found
    assert sum(len(one.alerts) for one in listed) == len(found)


@settings(max_examples=10)
@given(st.integers(1, 40_000))
def test_a_record_has_room_for_so_much_and_counts_the_others(count: int) -> None:
    found = {f"{number:016x}": ("silence/" + "x" * 36,) for number in range(count)}
    listed, unnamed = holding.listed(found)
    assert sum(len(one.alerts) for one in listed) + unnamed == count
    assert len(str(listed)) < 2 * holding.ROOM
    each_its_own = {name: (f"alert/{name}",) for name in found}
    listed, unnamed = holding.listed(each_its_own)
    assert sum(len(one.alerts) for one in listed) + unnamed == count
    packed = sum(len(one.model_dump_json()) for one in listed[:100]) / min(100, max(1, len(listed)))
    assert packed * len(listed) < 3 * holding.ROOM


def test_a_restart_makes_no_record_again() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 5_000, "A")).fires(5, "A").until(20)
    assert replace(day).restart().until(900).decisions == day.decisions


def test_names_and_matchers_without_end_stop_no_record() -> None:
    long = "x" * 70_000
    routes = f"""
route: {{receiver: ops, routes: [{{receiver: ops, matchers: ['g!="{long}"'], group_wait: 0s,
  mute_time_intervals: ['{long}']}}]}}
receivers: [{{name: ops, webhook_configs: [{{url: 'http://ops/'}}]}}]
time_intervals: [{{name: '{long}', time_intervals: [{{times: [
  {{start_time: '22:00', end_time: '23:00'}}]}}]}}]
"""
    [one] = Scenario(routes).fires(5, "A").until(20).decisions
    assert [len(text) for text in one.route] == [2, 1_000]
    assert [len(cause) for held in one.held for cause in held.causes] == [holding.LONGEST]


def test_a_set_of_causes_that_has_no_room_leaves_it_to_the_others() -> None:
    many = tuple(f"silence/{number:030}" for number in range(5_000))
    listed, unnamed = holding.listed({"a" * 16: many, "b" * 16: ("time/x",)})
    assert ([one.alerts for one in listed], unnamed) == ([("b" * 16,)], 1)

"""Escalation on virtual time: who is called when, and when nobody is any more."""

from schemas.commands import SilenceMatcher, SilenceSet
from schemas.oncall import OverrideEnded, OverrideSet
from tests.unit.notifiers.escalation.day import (
    FILE,
    called,
    day,
    does,
    escalated,
    incident_of,
    timeline,
)
from tests.unit.notifiers.scenario import delivers, plan, postpones, refuses, seconds

M = 60


def test_steps_follow_one_another_while_nobody_acknowledges() -> None:
    told = called(day().fires(0, "a", service="shop").until(60 * M))
    assert told == [
        (0, "chat", "first notification"),
        (0, "ada", "escalated"),
        (5 * M, "chat", "escalated"),
        (5 * M, "bob", "escalated"),
        (15 * M, "ada", "escalated"),
        (20 * M, "chat", "escalated"),
        (20 * M, "bob", "escalated"),
    ]


def test_the_timeline_says_who_was_called_by_which_step() -> None:
    lines = timeline(day().fires(0, "a", service="shop").until(60 * M))
    assert lines == [
        "opened a (service=shop)",
        "escalated to ada (schedule primary) by step 1 of calm",
        "escalated to bob by step 2 of calm",
        "escalated to chat by step 2 of calm",
        "escalated to ada (schedule primary) by step 1 of calm, round 2",
        "escalated to bob by step 2 of calm, round 2",
        "escalated to chat by step 2 of calm, round 2",
        "escalation ended calm is at its end and nobody has acknowledged",
    ]


def test_an_acknowledgement_stops_it_for_everybody() -> None:
    scenario = day().fires(0, "a", service="shop")
    does(scenario, 4 * M, "acknowledge").until(60 * M)
    assert escalated(scenario) == [(0, "ada")]


def test_a_resolve_stops_it_and_everybody_who_was_paged_hears_of_it() -> None:
    scenario = day().fires(0, "a", service="shop").resolves(6 * M, "a", service="shop")
    told = called(scenario.until(60 * M))
    assert told[4:] == [(10 * M, who, "all alerts resolved") for who in ("chat", "ada", "bob")]


def test_taking_an_acknowledgement_back_begins_anew() -> None:
    scenario = day().fires(0, "a", service="shop")
    does(does(scenario, 60, "acknowledge"), 120, "unacknowledge").until(8 * M)
    assert called(scenario)[2:] == [
        (120, "chat", "acknowledgement ended"),
        (120, "ada", "acknowledgement ended"),
        (120 + 5 * M, "chat", "escalated"),
        (120 + 5 * M, "bob", "escalated"),
    ]


def test_an_acknowledgement_that_runs_out_begins_anew() -> None:
    scenario = day().fires(0, "a", service="shop")
    does(scenario, 60, "acknowledge", until=120).until(8 * M)
    assert escalated(scenario) == [(0, "ada"), (120 + 5 * M, "chat"), (120 + 5 * M, "bob")]


def test_the_policy_says_when_an_acknowledgement_runs_out() -> None:
    scenario = day().fires(0, "a", service="shop", severity="critical")
    does(scenario, 30, "acknowledge").until(2 * 60 * M)
    again = [at for at, _, why in called(scenario) if why == "acknowledgement ended"]
    assert set(again) == {30 + 60 * M}


def test_one_person_named_twice_is_paged_once_over_every_contact_that_holds() -> None:
    scenario = day().fires(0, "a", service="shop", severity="critical").until(30)
    assert escalated(scenario) == [(0, "ada"), (0, "ada-sms"), (0, "bob")]


def test_a_graver_alert_begins_the_stricter_policy_with_the_next_step() -> None:
    scenario = day().fires(0, "a", service="shop")
    scenario.fires(60, "b", service="shop", severity="critical").until(9 * M)
    # News of the group is told at its next flush, unless a step comes first.
    assert called(scenario)[2:] == [
        (5 * M, "ada", "new alerts in group"),
        (5 * M, "ada-sms", "escalated"),
        (5 * M, "bob", "escalated"),
    ]
    assert incident_of(scenario).escalation[0] == "urgent"
    assert "escalation begins by urgent instead of calm: it is more severe" in timeline(scenario)


def test_a_graver_alert_at_a_flush_pages_nobody_twice() -> None:
    content = FILE.replace("group_interval: 10m", "group_interval: 2m")
    scenario = day(content).fires(0, "a", service="shop")
    scenario.fires(60, "b", service="shop", severity="critical").until(150)
    assert called(scenario)[2:] == [
        (2 * M, "chat", "new alerts in group"),
        (2 * M, "ada", "new alerts in group"),
        (2 * M, "ada-sms", "escalated"),
        (2 * M, "bob", "escalated"),
    ]


def test_what_is_less_grave_stays_with_the_stricter_policy() -> None:
    scenario = (
        day().fires(0, "a", service="shop", severity="critical").fires(1, "b", service="shop")
    )
    scenario.resolves(2, "a", service="shop", severity="critical").until(60 * M)
    assert incident_of(scenario).escalation[0] == "urgent"


def test_a_gap_goes_on_to_the_next_step_at_once() -> None:
    scenario = day(FILE.replace("[{schedule: primary}], wait: 5m", "[{schedule: empty}], wait: 5m"))
    scenario.fires(0, "a", service="shop").until(60)
    assert escalated(scenario) == [(0, "bob")]
    assert "nobody to escalate to nobody is on call in schedule empty by step 1 of calm" in (
        timeline(scenario)
    )


def test_where_nobody_can_be_reached_it_is_tried_again_after_the_waits() -> None:
    content = FILE.replace(
        "notify: [{schedule: primary}], wait: 5m", "notify: [{user: eve}], wait: 5m"
    )
    content = content.replace("{user: bob}, {receiver: chat}], wait", "{schedule: empty}], wait")
    scenario = day(content).fires(0, "a", service="shop").until(14 * M)
    assert escalated(scenario) == []
    assert incident_of(scenario).escalation[:3] == ("calm", 0, 1)
    scenario.until(60 * M)
    lines = timeline(scenario)
    assert (
        lines.count("nobody to escalate to eve has no contact that holds now by step 1 of calm")
        == 1
    )
    assert lines[-1].startswith("escalation ended")


def test_a_step_outside_of_its_times_is_passed_over() -> None:
    content = FILE.replace("wait: 5m}", "wait: 5m, active_time_intervals: [never]}")
    scenario = day(content).fires(0, "a", service="shop").until(60)
    assert escalated(scenario) == [(0, "bob")]
    assert "step passed over step 1 of calm: not at this time of day" in timeline(scenario)


def test_who_is_on_call_is_asked_at_the_moment_of_calling() -> None:
    rotation = "{users: [ada, bob], rotation: 1h, start: 2001-01-01T00:00}"
    content = FILE.replace("{users: [ada], rotation: daily, start: 2001-01-01T00:00}", rotation)
    content = content.replace("repeat: 1\n", "repeat: 9\n").replace("wait: 10m", "wait: 55m")
    scenario = day(content).fires(0, "a", service="shop").until(61 * M)
    first, second = [who for at, who in escalated(scenario) if at in {0, 60 * M}]
    assert {first, second} == {"ada", "bob"}


def test_a_plan_that_changes_the_policy_goes_on_by_the_number_of_the_step() -> None:
    scenario = day().fires(0, "a", service="shop")
    content = FILE.replace("default: calm}", "default: other}").replace("name: calm", "name: other")
    scenario.at(60, *plan(content, 2)).until(6 * M)
    assert escalated(scenario) == [(0, "ada"), (5 * M, "chat"), (5 * M, "bob")]
    assert "escalation goes on from calm to other: the routing file changed" in timeline(scenario)


def test_a_plan_without_a_policy_stops_it() -> None:
    scenario = day().fires(0, "a", service="shop")
    content = FILE.replace("escalation_policy: {critical: urgent, default: calm}", "")
    scenario.at(60, *plan(content, 2)).until(60 * M)
    assert escalated(scenario) == [(0, "ada")]
    assert any(line.startswith("escalation stopped") for line in timeline(scenario))


def test_a_route_without_a_policy_escalates_nothing() -> None:
    content = FILE.replace("{critical: urgent, default: calm}", "none")
    scenario = day(content).fires(0, "a", service="shop").until(60 * M)
    assert called(scenario) == [(0, "chat", "first notification")]


def test_nothing_is_different_after_a_restart() -> None:
    whole = day().fires(0, "a", service="shop").until(60 * M)
    cut = day().fires(0, "a", service="shop")
    for at in range(0, 60 * M, 90):
        cut.until(at).restart()
    assert called(cut.until(60 * M)) == called(whole)
    assert timeline(cut) == timeline(whole)


def test_a_page_that_waits_for_its_retry_is_not_tried_again_once_somebody_has_it() -> None:
    scenario = day()
    scenario.courier = lambda sent, at: (
        postpones(sent, at) if sent.receiver == "ada" else delivers(sent, at)
    )
    does(scenario.fires(0, "a", service="shop"), 12, "acknowledge").until(60 * M)
    assert max(at for at, who, _ in called(scenario) if who == "ada") < 12


def test_a_refused_page_is_no_escalation_when_another_alert_joins_what_somebody_has() -> None:
    scenario = day()
    scenario.courier = lambda sent, at: (
        refuses(sent, at) if sent.receiver == "ada" else delivers(sent, at)
    )
    scenario.fires(0, "a", service="shop")
    does(scenario, 60, "acknowledge").fires(61, "b", service="shop").until(11 * M)
    assert called(scenario)[-1] == (10 * M, "ada", "first notification")
    assert escalated(scenario) == [(0, "ada")]


def test_what_is_muted_waits_for_its_turn() -> None:
    scenario = day().fires(0, "a", service="shop")
    matcher = SilenceMatcher(name="service", operator="=", value="shop")
    silence = SilenceSet(
        id="s",
        sets=((matcher,),),
        starts_at=seconds(60),
        ends_at=seconds(20 * M),
        created_by="kim",
        comment="",
    )
    scenario.at(60, silence).until(40 * M)
    assert escalated(scenario) == [
        (0, "ada"),
        (20 * M, "chat"),
        (20 * M, "bob"),
        (30 * M, "ada"),
        (35 * M, "chat"),
        (35 * M, "bob"),
    ]


def test_an_override_by_command_is_asked_at_the_moment_of_calling() -> None:
    scenario = day()
    made = OverrideSet(
        id="o", schedule="primary", user="bob", start=seconds(10 * M), end=seconds(99 * M)
    )
    scenario.at(0, made).fires(0, "a", service="shop").until(16 * M).restart().until(18 * M)
    assert [who for at, who in escalated(scenario) if at in {0, 15 * M}] == ["ada", "bob"]
    scenario.at(18 * M, OverrideEnded(id="o"))
    assert scenario.router.overrides()[0].override.end == seconds(18 * M)


def test_an_override_that_has_not_begun_is_gone_when_it_is_taken_back() -> None:
    scenario = day()
    made = OverrideSet(id="o", schedule="primary", user="bob", start=seconds(60), end=seconds(99))
    scenario.at(0, made, OverrideEnded(id="o"), OverrideEnded(id="o"))
    assert scenario.router.overrides() == []
    assert scenario.counts["override unknown"] == 1


def test_of_overrides_the_one_made_later_wins_and_what_says_nothing_is_refused() -> None:
    scenario = day()
    for name, user, end in (("x", "bob", 99), ("b", "eve", 99), ("c", "ada", 0)):
        scenario.at(
            0 if name == "x" else 1,
            OverrideSet(id=name, schedule="primary", user=user, start=seconds(0), end=seconds(end)),
        )
    assert scenario.counts["override refused"] == 1
    state = scenario.router._state
    config = state.plan.config
    assert config is not None
    found = state.overrides.on_call(config.schedules["primary"], seconds(5))
    assert found == ("eve", "override")
    assert state.overrides.over(config.schedules["primary"]).on_call(seconds(5)) == found


def test_a_new_incident_of_the_same_group_begins_with_its_own_people() -> None:
    scenario = day().fires(0, "a", service="shop").resolves(6 * M, "a", service="shop")
    scenario.fires(30 * M, "a", service="shop").until(34 * M)
    assert [(at, who) for at, who, _ in called(scenario) if at > 20 * M] == [
        (30 * M, "chat"),
        (30 * M, "ada"),
    ]


def test_who_did_not_hear_the_resolve_hears_it_though_a_new_incident_has_opened() -> None:
    scenario = day().fires(0, "a", service="shop").fires(0, "b", service="shop").until(6 * M)
    scenario.courier = lambda sent, at: (
        refuses(sent, at) if sent.receiver == "bob" else delivers(sent, at)
    )
    scenario.resolves(6 * M, "a", "b", service="shop").until(11 * M)
    scenario.courier = delivers
    scenario.fires(12 * M, "b", service="shop").until(13 * M)
    scenario.resolves(22 * M, "b", since=12 * M, service="shop").until(31 * M)
    bob = [one for one in scenario.told() if one.receiver == "bob" and one.at > 11 * M]
    assert [(one.at, str(one.why), one.resolved) for one in bob] == [
        (20 * M, "some alerts resolved", "a"),
        (30 * M, "all alerts resolved", "b"),
    ]

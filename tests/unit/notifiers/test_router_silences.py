from notifiers.silences import SilenceState
from notifiers.view import silences
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.deliveries import Why
from tests.unit.notifiers.scenario import Scenario, Told, fp, plan, seconds
from tests.unit.notifiers.stored import alerts, groups

ROUTES = """
route:
  {receiver: ops, group_by: [service], group_wait: 10s, group_interval: 1m, repeat_interval: 10m}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}]
"""
OURS = ROUTES + "suppression: tocsin\n"


def silence(start: float, end: float, value: str = "A", name: str = "s") -> SilenceSet:
    matcher = SilenceMatcher(name="alertname", operator="=~", value=value)
    return SilenceSet(
        id=name,
        sets=((matcher,),),
        starts_at=seconds(start),
        ends_at=seconds(end),
        created_by="ann",
        comment="work",
    )


def test_what_is_silenced_is_told_at_the_first_tick_after_the_silence() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 100)).fires(5, "A").until(300)
    assert day.told_briefly() == [(135, Why.FIRST, "A")]


def test_a_silence_hides_its_alerts_and_no_others() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 1_000)).fires(5, "A", "B").until(300)
    assert day.told_briefly() == [(15, Why.FIRST, "B")]


def test_a_silence_that_begins_later_hides_from_then_on() -> None:
    day = Scenario(ROUTES).at(1, silence(50, 1_000, "B")).fires(5, "A").fires(30, "B").until(300)
    assert day.told_briefly() == [(15, Why.FIRST, "A")]


def test_a_silenced_resolve_is_told_to_nobody_and_a_refiring_is_no_news() -> None:
    """Alertmanager's, to the letter: the notification log still says that A fires."""
    day = Scenario(ROUTES).fires(5, "A").at(20, silence(20, 100)).resolves(30, "A", since=5)
    day.until(200)
    assert day.told_briefly() == [(15, Why.FIRST, "A")]
    assert groups(day.state.items()) == []
    day.fires(210, "A").until(700)
    assert day.told_briefly()[1:] == [(640, Why.REPEAT, "A")]


def test_what_was_told_of_a_group_that_is_gone_is_forgotten_after_two_repeats() -> None:
    """And no sooner than Alertmanager sweeps its log: every 15 minutes."""
    day = Scenario(ROUTES).fires(5, "A").at(20, silence(20, 100)).resolves(30, "A", since=5)
    day.until(2_200)
    assert not [key for key in day.state if key.startswith(("group/", "outbox/"))]
    day.fires(2_300, "A").until(2_400)
    assert day.told_briefly()[1:] == [(2_310, Why.FIRST, "A")]


def test_an_edit_that_changes_matchers_is_refused_under_the_same_id() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 100)).at(2, silence(1, 100, "B"))
    assert day.counts["silence refused"] == 1
    assert day.fires(5, "B").until(20).told_briefly() == [(15, Why.FIRST, "B")]


def test_an_active_silence_can_be_prolonged_and_expired() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 100)).at(50, silence(1, 1_000)).fires(51, "A")
    day.until(300)
    assert day.told() == []
    day.at(310, SilenceExpired(id="s")).until(400)
    assert day.told_briefly() == [(361, Why.FIRST, "A")]
    assert day.at(400, silence(400, 500)).counts["silence refused"] == 1


def test_an_unknown_silence_and_a_pattern_that_is_none_are_counted() -> None:
    day = Scenario(ROUTES).at(1, SilenceExpired(id="x"), silence(1, 9, "("))
    assert (day.counts["silence unknown"], day.counts["silence refused"]) == (1, 1)


def test_an_expired_silence_is_shown_for_120_hours() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 10)).until(20).fires(20, "B")
    [one] = silences(day.state.items(), seconds(20))
    assert (one.silence.created_by, one.state) == ("ann", SilenceState.EXPIRED)
    day.fires(10 + 432_000, "C")
    assert silences(day.state.items(), seconds(0)) == []


def test_the_view_names_silences_that_are_active_at_the_moment_asked_for() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 100)).fires(5, "A")
    [one] = alerts(day.state.items(), seconds(50))
    assert (one.silenced_by, one.receivers) == (("s",), ("ops",))
    [one] = alerts(day.state.items(), seconds(100))
    assert one.silenced_by == ()


def test_ours_what_still_fires_is_told_when_the_silence_ends() -> None:
    day = Scenario(OURS).at(1, silence(1, 100)).fires(5, "A").until(300)
    assert day.told_briefly() == [(100, Why.FIRST, "A")]


def test_ours_and_when_it_is_expired_also_if_it_was_told_before() -> None:
    day = Scenario(OURS).fires(5, "A").at(20, silence(20, 9_000)).until(90)
    day.restart().at(90, SilenceExpired(id="s")).until(120)
    assert day.told_briefly() == [(15, Why.FIRST, "A"), (90, Why.FIRST, "A")]


def test_ours_a_resolve_follows_a_page_though_it_is_silenced() -> None:
    day = Scenario(OURS).fires(5, "A").at(20, silence(20, 9_000)).until(200).restart()
    day.resolves(210, "A", since=5).until(300)
    assert day.told() == [
        Told(15, "ops", Why.FIRST, "A", ""),
        Told(255, "ops", Why.ALL_RESOLVED, "", "A"),
    ]


def test_ours_what_was_never_told_resolves_in_silence() -> None:
    day = Scenario(OURS).at(1, silence(1, 900)).fires(5, "A").resolves(30, "A", since=5).until(999)
    assert day.told() == []
    assert not [key for key in day.state if key.startswith(("group/", "outbox/"))]


def test_ours_one_of_two_told_resolves_silenced_while_the_other_fires_on() -> None:
    day = Scenario(OURS).fires(5, "A", "B").at(20, silence(20, 9_000)).until(100)
    day.resolves(110, "A", since=5).until(150)
    assert day.told()[-1] == Told(135, "ops", Why.SOME_RESOLVED, "B", "A")


INHIBITS = """
inhibit_rules:
- {source_matchers: [alertname=S], target_matchers: [alertname=T], equal: [zone]}
"""


def test_a_target_is_inhibited_while_a_source_fires_with_equal_labels() -> None:
    day = Scenario(ROUTES + INHIBITS).fires(1, "S", "T", service="x").until(60)
    assert day.told_briefly() == [(11, Why.FIRST, "S")]
    [view] = [one for one in alerts(day.state.items()) if one.labels["alertname"] == "T"]
    assert view.inhibited_by == (fp(alertname="S", service="x"),)
    day.resolves(65, "S", since=1, service="x").until(80)
    assert day.told()[1:] == [Told(71, "ops", Why.GREW, "T", "S")]


def test_other_values_do_not_inhibit_and_a_missing_one_is_empty() -> None:
    day = Scenario(ROUTES + INHIBITS).fires(1, "S", zone="a").fires(1, "T", zone="b").until(60)
    assert day.told_briefly() == [(11, Why.FIRST, "S T")]
    day = Scenario(ROUTES + INHIBITS).fires(1, "S", zone="").fires(1, "T").until(60)
    assert day.told_briefly() == [(11, Why.FIRST, "S")]


def test_what_is_on_both_sides_is_not_inhibited_by_its_like() -> None:
    both = ROUTES + "inhibit_rules: [{source_matchers: [a=~.+], target_matchers: [a=1]}]\n"
    day = Scenario(both).fires(1, "A", "B", a="1").until(60)
    assert day.told_briefly() == [(11, Why.FIRST, "A B")]
    day.fires(61, "C", a="2").until(80)
    assert day.told()[-1].firing == "C"


def test_ours_a_target_is_told_in_the_same_step_as_its_source_resolves() -> None:
    day = Scenario(OURS + INHIBITS).fires(1, "S", service="x").fires(2, "T", service="y").until(30)
    day.restart().resolves(31, "S", since=1, service="x")
    assert [(one.at, one.firing) for one in day.told()] == [(11, "S"), (31, "T")]


MUTED = """
route:
  receiver: ops
  group_wait: 10s
  group_interval: 1m
  routes: [{{receiver: ops, matchers: [alertname=A], {kind}_time_intervals: [quiet]}}]
receivers: [{{name: ops, webhook_configs: [{{url: 'http://ops/'}}]}}]
time_intervals:
- {{name: quiet, time_intervals: [{{times: [{{start_time: '{start}', end_time: '{end}'}}]}}]}}
suppression: {mode}
"""
"""The day begins at 22:13:20 UTC."""


def test_a_muted_route_tells_nobody_until_the_interval_ends() -> None:
    routes = MUTED.format(kind="mute", start="22:00", end="22:20", mode="alertmanager")
    day = Scenario(routes).fires(5, "A").until(300)
    assert day.told() == []
    assert groups(day.state.items(), seconds(300))[0].muted_by == ("quiet",)
    assert alerts(day.state.items(), seconds(400))[0].muted_by == ()
    day.until(500)
    assert day.told_briefly() == [(435, Why.FIRST, "A")]


def test_a_route_tells_only_while_it_is_active() -> None:
    routes = MUTED.format(kind="active", start="22:20", end="23:00", mode="alertmanager")
    day = Scenario(routes).fires(5, "A").until(500)
    assert day.told_briefly() == [(435, Why.FIRST, "A")]


def test_ours_the_end_of_a_muted_time_is_a_flush() -> None:
    routes = MUTED.format(kind="mute", start="22:00", end="22:20", mode="tocsin")
    day = Scenario(routes).fires(5, "A").until(500)
    assert day.told_briefly() == [(400, Why.FIRST, "A")]


def test_ours_a_plan_without_the_rule_tells_at_once() -> None:
    day = Scenario(OURS + INHIBITS).fires(1, "S", service="x").fires(2, "T", service="y").until(30)
    day.at(30, *plan(OURS, 2))
    assert day.told()[-1] == Told(30, "ops", Why.FIRST, "T", "")

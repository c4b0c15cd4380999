"""Flap damping: told once, then held until it is stable, and never the last word lost."""

from notifiers.config import read
from schemas.commands import SilenceMatcher, SilenceSet
from schemas.deliveries import Why
from schemas.incidents import IncidentAction, IncidentCommand
from tests.unit.notifiers.scenario import Scenario, plan, seconds

ROUTES = """
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 10s
  routes:
  - {matchers: [calm=no], receiver: hook, flap_detection: off}
  - {matchers: [calm=very], receiver: hook, flap_detection: {changes: 3, within: 10m}}
receivers:
- name: hook
  webhook_configs: [{url: 'http://x/'}]
flap_detection: {changes: 5, within: 5m, stable: 2m}
"""


def flaps(day: Scenario, until: int, **labels: str) -> Scenario:
    """It fires at every even multiple of 20 s, and resolves at every odd one."""
    for number, at in enumerate(range(20, until, 20)):
        if number % 2 == 0:
            day.fires(at, "Up", **labels)
        else:
            day.resolves(at, "Up", since=at - 20, **labels)
    return day


def test_an_alert_that_flaps_is_told_once_and_then_when_it_is_stable() -> None:
    day = flaps(Scenario(ROUTES), 401).until(1_000)
    assert day.told_briefly() == [
        (20, Why.FIRST, "Up"),
        (50, Why.ALL_RESOLVED, ""),
        (60, Why.FIRST, "Up"),
        (90, Why.ALL_RESOLVED, ""),
        (100, Why.FIRST, "Up"),
        (520, Why.ALL_RESOLVED, ""),
    ]
    flapping = day.deliveries[4][1]
    assert flapping.notice == "Flapping: 1 alert (Up 1); told when stable."
    assert not day.deliveries[5][1].notice
    assert not day.router.groups()


def test_what_fires_when_it_is_stable_goes_on_firing() -> None:
    day = flaps(Scenario(ROUTES), 381).until(1_000)
    assert [why for _, why, _ in day.told_briefly()][4:] == [Why.FIRST]
    day.resolves(1_001, "Up", since=380).until(1_100)
    assert day.told_briefly()[5:] == [(1_010, Why.ALL_RESOLVED, "")]


def test_what_flaps_is_shown_firing_even_while_it_is_not() -> None:
    text = ROUTES.replace("group_wait: 0s", "group_wait: 110s")
    day = flaps(Scenario(text), 121).until(300)
    assert day.told_briefly() == [(130, Why.FIRST, "Up"), (240, Why.ALL_RESOLVED, "")]
    assert day.deliveries[0][1].notice


def test_a_route_may_want_none_of_it_or_more() -> None:
    day = flaps(Scenario(ROUTES), 401, calm="no").until(1_000)
    assert len(day.deliveries) == 20
    day = flaps(Scenario(ROUTES), 401, calm="very").until(2_000)
    assert [(at, why) for at, why, _ in day.told_briefly()] == [
        (20, Why.FIRST),
        (50, Why.ALL_RESOLVED),
        (60, Why.FIRST),
        (1_000, Why.ALL_RESOLVED),
    ]


def test_what_changes_seldom_is_not_damped() -> None:
    day = Scenario(ROUTES)
    for at in range(200, 2_000, 200):
        day.fires(at, "Up").resolves(at + 100, "Up", since=at)
    assert len(day.until(3_000).deliveries) == 18


def test_a_router_that_begins_again_goes_on_damping() -> None:
    undisturbed = flaps(Scenario(ROUTES), 401).until(1_000)
    day = flaps(Scenario(ROUTES), 140).restart()
    for at in range(140, 401, 20):
        if at // 20 % 2:
            day.fires(at, "Up")
        else:
            day.resolves(at, "Up", since=at - 20)
        day.restart()
    assert day.until(1_000).deliveries == undisturbed.deliveries


def test_a_plan_without_flap_detection_tells_what_is_true_at_once() -> None:
    day = flaps(Scenario(ROUTES), 201).until(210)
    text = ROUTES.replace("flap_detection: {changes: 5, within: 5m, stable: 2m}", "")
    day.at(215, *plan(text, number=2)).until(220)
    assert day.told_briefly()[-1] == (215, Why.ALL_RESOLVED, "")


def test_somebody_who_has_taken_it_is_not_paged_by_its_flapping() -> None:
    day = flaps(Scenario(ROUTES), 101)
    incident = day.deliveries[-1][1].incident
    command = IncidentCommand(
        id="c1", incident=incident, action=IncidentAction.ACKNOWLEDGE, by="ada", until=None
    )
    day.at(105, command)
    before = len(day.deliveries)
    for at in range(120, 401, 40):
        day.resolves(at, "Up", since=at - 20).fires(at + 20, "Up")
    assert len(day.until(500).deliveries) == before
    day.resolves(501, "Up", since=420).until(700)
    assert day.told_briefly()[before:] == [(621, Why.ALL_RESOLVED, "")]


def test_flapping_behind_a_silence_is_told_by_its_last_word() -> None:
    day = Scenario(ROUTES + "suppression: tocsin\n").fires(20, "Up").until(25)
    silence = SilenceSet(
        id="s",
        sets=((SilenceMatcher(name="alertname", operator="=", value="Up"),),),
        starts_at=seconds(30),
        ends_at=seconds(200),
        created_by="ada",
        comment="",
    )
    day.at(30, silence)
    for at in range(40, 180, 40):
        day.resolves(at, "Up", since=at - 20).fires(at + 20, "Up")
    day.resolves(190, "Up", since=180).until(1_000)
    assert day.told_briefly()[-1][1] is Why.ALL_RESOLVED


def test_errors_name_the_line_and_what_is_wanted() -> None:
    def said(setting: str) -> list[str]:
        text = ROUTES.replace("{changes: 5, within: 5m, stable: 2m}", setting)
        config, problems = read(text, "routes.yml")
        assert config is None
        return [f"{one.line}: {one.key}: {one.message}" for one in problems]

    assert said("yes") == ["13: flap_detection: a mapping is wanted here"]
    assert said("{changes: 2}") == ["13: flap_detection.changes: from 3 to 100 changes are wanted"]
    assert said("{within: 2d}") == ["13: flap_detection.within: a time from 1s to 1d is wanted"]
    assert said("{change: 5}") == ["13: flap_detection.change: unknown key"]

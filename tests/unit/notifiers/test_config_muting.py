"""What the configuration says of inhibition, time intervals, templates and suppression."""

import pytest

from notifiers.config import Suppression, read
from notifiers.inhibit_rules import InhibitRule
from notifiers.matchers import Matcher, Operator, written
from notifiers.time_intervals import TimeInterval

GOOD = """\
suppression: tocsin
templates: ['/etc/t/*.tmpl', more.tmpl]
route:
  receiver: a
  routes:
  - matchers: [x=y]
    mute_time_intervals: [nights, old]
    active_time_intervals: [nights]
    routes:
    - matchers: [z=w]
receivers: [{name: a}]
mute_time_intervals:
- name: old
  time_intervals: [{years: ['2024']}]
time_intervals:
- name: nights
  time_intervals:
  - times: [{start_time: '22:00', end_time: '24:00'}]
    weekdays: ['monday:friday']
    location: Europe/Berlin
  - days_of_month: ['-1']
- name: empty
inhibit_rules:
- name: first
  source_match: {severity: critical}
  source_match_re: {job: 'a|b'}
  source_matchers: ['"my label"!=x']
  target_match: {severity: warning}
  target_match_re: {team: 'c.*'}
  target_matchers: ['{d=e, f!~g}']
  equal: [cluster, my label]
- {}
"""


def test_what_holds_alerts_back_is_read_whole() -> None:
    config, problems = read(GOOD, "r.yml")
    assert config is not None, problems
    assert (config.suppression, config.templates) == (
        Suppression.TOCSIN,
        ("/etc/t/*.tmpl", "more.tmpl"),
    )
    assert config.time_intervals == {
        "old": (TimeInterval(years=((2024, 2024),)),),
        "nights": (
            TimeInterval(((1_320, 1_440),), weekdays=((1, 5),), location="Europe/Berlin"),
            TimeInterval(days_of_month=((-1, -1),)),
        ),
        "empty": (),
    }
    first, second = config.inhibit_rules
    assert (first.name, first.equal) == ("first", frozenset({"cluster", "my label"}))
    assert written(first.sources) == ('{job=~"^(?:a|b)$","my label"!="x",severity="critical"}')
    assert written(first.targets) == '{d="e",f!~"g",severity="warning",team=~"^(?:c.*)$"}'
    assert second == InhibitRule((), ())


def test_a_route_mutes_itself_and_not_the_routes_below() -> None:
    config, _ = read(GOOD, "r.yml")
    assert config is not None
    assert [(route.mute, route.active) for route in config.route.walk()] == [
        ((), ()),
        (("nights", "old"), ("nights",)),
        ((), ()),
    ]


def test_what_is_left_out_is_as_in_alertmanager() -> None:
    config, _ = read("route: {receiver: a}\nreceivers: [{name: a}]", "r.yml")
    assert config is not None
    assert (config.inhibit_rules, config.time_intervals, config.templates) == ((), {}, ())
    assert config.suppression is Suppression.ALERTMANAGER


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read(text, "r.yml")[1]]


HEAD = "route: {receiver: a, routes: [{mute_time_intervals: [n], active_time_intervals: [n]}]}\n"
TAIL = "receivers: [{name: a}]\n"
NAMED = "time_intervals: [{name: n}]\n"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            HEAD + TAIL + "time_intervals: [{name: nn}]",
            'r.yml:1: route.routes[0].mute_time_intervals: undefined time interval "n" used in '
            'route: did you mean "nn"?',
        ),
        (HEAD + TAIL, 'routes[0].active_time_intervals: undefined time interval "n" used in route'),
        (
            "route: {receiver: a, mute_time_intervals: [n]}\n" + TAIL + NAMED,
            "root route must not have any mute time intervals",
        ),
        (
            "route: {receiver: a, active_time_intervals: [n]}\n" + TAIL + NAMED,
            "root route must not have any active time intervals",
        ),
        (
            HEAD + TAIL + "time_intervals:\n- {name: n}\n- {name: n}",
            'r.yml:5: time_intervals[1].name: time interval "n" is not unique: '
            "it stands already in line 4",
        ),
        (
            HEAD + TAIL + NAMED + "mute_time_intervals: [{name: n}, {name: n}]",
            'mute_time_intervals[1].name: mute time interval "n" is not unique',
        ),
        (
            HEAD + TAIL + NAMED + "mute_time_intervals: [{name: n}]",
            'time_intervals[0].name: time interval "n" is not unique',
        ),
        (HEAD + TAIL + "time_intervals: [{}]", "missing name in time interval"),
        (HEAD + TAIL + "mute_time_intervals: [{}]", "missing name in mute time interval"),
        (
            HEAD + TAIL + "time_intervals:\n- name: n\n  time_intervals:\n  - weekdays: [funday]",
            'r.yml:6: time_intervals[0].time_intervals[0].weekdays: "funday" is not a valid week',
        ),
        (HEAD + TAIL + NAMED + "time_interval: []", 'did you mean "time_intervals"?'),
        (HEAD + TAIL + NAMED + "templates: x", "templates: a list is wanted here"),
        (
            HEAD + TAIL + NAMED + "suppression: ours",
            'r.yml:4: suppression: alertmanager or tocsin is wanted, not "ours"',
        ),
        (
            HEAD + TAIL + NAMED + "inhibit_rules:\n- source_match: {a-b: c}",
            'r.yml:5: inhibit_rules[0].source_match: invalid label name "a-b"',
        ),
        (
            HEAD + TAIL + NAMED + "inhibit_rules:\n- target_match_re: {a: '('}",
            "r.yml:5: inhibit_rules[0].target_match_re.a: not a regular expression: missing ): (",
        ),
        (
            HEAD + TAIL + NAMED + "inhibit_rules:\n- source_matchers:\n  - a=b\n  - b",
            "r.yml:7: inhibit_rules[0].source_matchers: bad matcher format: b",
        ),
        (
            HEAD + TAIL + NAMED + "inhibit_rules:\n- source_match_re:\n    a:",
            'r.yml:6: inhibit_rules[0].source_match_re: invalid regexp value for "a"',
        ),
        (HEAD + TAIL + NAMED + "inhibit_rules: [{equal: ['']}]", 'label name "" in equal list'),
        (HEAD + TAIL + NAMED + "inhibit_rules: [{equals: [a]}]", 'did you mean "equal"?'),
        (HEAD + TAIL + NAMED + "inhibit_rules: [{sources: []}]", "sources: unknown key"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, want: str) -> None:
    assert any(want in line for line in problems(text)), problems(text)


def test_a_matcher_of_a_rule_matches_what_its_text_says() -> None:
    config, _ = read(GOOD, "r.yml")
    assert config is not None
    sources = config.inhibit_rules[0].sources
    assert Matcher("my label", Operator.NOT_EQUAL, "x") in sources
    assert all(one.matches({"severity": "critical", "job": "a"}) for one in sources)
    assert not all(one.matches({"severity": "critical", "job": "ab"}) for one in sources)

"""The router on a virtual clock, fed with a script."""

import json
import time

import pytest

from notifiers.alert_script import instant, read_script
from notifiers.simulator import Simulator, Verdict, last_instant

NOON = 1_769_860_800_000
ROUTES = """
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers: [{name: ops, webhook_configs: [{url: 'http://ops.example/'}]}]
"""


def line(at: float, name: str = "A", **fields: object) -> str:
    return json.dumps({"at": NOON + round(at * 1_000), "labels": {"alertname": name}, **fields})


def simulated(*lines: str, until: float | None = None) -> list[Verdict]:
    script, problems = read_script(lines, "alerts.jsonl")
    assert problems == []
    end = last_instant(script) if until is None else NOON + round(until * 1_000)
    return list(Simulator(ROUTES, script[0].at).run(script, end))


def briefly(verdicts: list[Verdict]) -> list[tuple[float, str, bool]]:
    return [
        ((one.at - NOON) / 1_000, str(one.decision.why), one.delivery is not None)
        for one in verdicts
    ]


def test_a_page_and_its_end() -> None:
    found = simulated(line(0), line(200, status="resolved"))
    assert briefly(found) == [
        (30, "first notification", True),
        (330, "all alerts resolved", True),
    ]
    assert [level.labels["alertname"] for level in found[1].resolved] == ["A"]
    assert found[1].firing == ()


def test_what_resolves_before_group_wait_is_not_told() -> None:
    found = simulated(line(0), line(10, status="resolved"))
    assert [sent for _, _, sent in briefly(found)] == [False]


def test_lines_are_taken_in_order_of_time() -> None:
    assert briefly(simulated(line(200, status="resolved"), line(0))) == briefly(
        simulated(line(0), line(200, status="resolved"))
    )


def test_days_pass_in_milliseconds_of_work() -> None:
    began = time.process_time()
    lines = [line(at) for at in range(0, 7 * 86_400, 240)]
    found = simulated(*lines, until=7 * 86_400)
    repeats = [one for one in found if one.decision.why == "repeat interval elapsed"]
    # Every 4 h and a tick of 5 min, for a week.
    assert len(repeats) == 7 * 86_400 // (4 * 3_600 + 300)
    assert time.process_time() - began < 20


def test_a_file_that_the_router_refuses_is_told() -> None:
    with pytest.raises(ValueError, match="does not take"):
        Simulator("route: {}", NOON)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "alerts.jsonl:2: not JSON"),
        ("[]", "alerts.jsonl:2: a JSON object is wanted"),
        ('{"labels": {"a": "b"}}', "alerts.jsonl:2: at: missing"),
        ('{"at": "noon", "labels": {"a": "b"}}', 'alerts.jsonl:2: at: not a time: "noon"'),
        ('{"at": "2026-01-31T12:00:00", "labels": {"a": "b"}}', "not a time with its zone"),
        ('{"at": true, "labels": {"a": "b"}}', "alerts.jsonl:2: at: not a time"),
        ('{"at": 1e99, "labels": {"a": "b"}}', "alerts.jsonl:2: at: not a time"),
        ('{"at": 99999999999999999, "labels": {"a": "b"}}', "alerts.jsonl:2: at: out of range"),
        ('{"at": 1, "labels": {}}', "alerts.jsonl:2: labels: at least one"),
        ('{"at": 1, "labels": {"a": 1}}', "alerts.jsonl:2: labels: an object of texts"),
        ('{"at": 1, "lables": {"a": "b"}}', 'did you mean "labels"?'),
        ('{"at": 1, "labels": {"a": "b"}, "status": "gone"}', "alerts.jsonl:2: status: firing or"),
        ('{"at": 5, "labels": {"a": "b"}, "startsAt": 4, "endsAt": 3}', "before startsAt"),
        ('{"at": 5, "silence": {"matchers": []}}', "silence.endsAt: missing"),
        ('{"at": 5, "silence": {"endsAt": 9}}', "silence.matchers: a list"),
    ],
)
def test_a_bad_line_is_named(text: str, said: str) -> None:
    script, (problem,) = read_script([line(0), text, ""], "alerts.jsonl")
    assert said in str(problem)
    assert len(script) == 1


def test_times_are_rfc3339_or_milliseconds() -> None:
    assert instant("2026-01-31T12:00:00Z") == NOON
    assert instant("2026-01-31T13:00:00.250+01:00") == NOON + 250
    assert instant(NOON) == NOON


def test_an_alert_is_completed_as_the_api_does() -> None:
    lines = [
        line(0),
        line(1, endsAt=NOON),
        line(2, startsAt=NOON - 5_000, endsAt=NOON + 9_000),
    ]
    script, _ = read_script(lines, "f")
    levels = [timed.event for timed in script]
    shown = [(one.state, one.starts_at, one.ends_at) for one in levels]  # type: ignore[union-attr]
    assert shown == [
        ("firing", NOON, None),
        ("resolved", NOON, NOON),
        ("firing", NOON - 5_000, NOON + 9_000),
    ]

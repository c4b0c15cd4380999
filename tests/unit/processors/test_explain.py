"""What is said of a plan's rules."""

from processors.explain import Explained, explained
from processors.rules_plan import RulesPlan

RULES = """
groups:
  - name: hosts
    rules:
      - {alert: Hot, expr: temperature > 90}
      - {alert: Cold, expr: temperature < 5}
      - {record: "host:rate", expr: "rate(requests[10m])"}
  - name: jobs
    interval: 1m
    query_offset: 30s
    rules:
      - {record: "job:rate", expr: "sum by (job) (host:rate)"}
      - {alert: Quiet, expr: "rate(errors[5m]) > 1"}
  - name: far
    rules:
      - {alert: Week, expr: "avg_over_time(temperature[7d]) > 50"}
  - name: after
    rules:
      - {alert: Slow, expr: "job:rate < 1"}
"""


def rules() -> dict[str, Explained]:
    return {each.name: each for each in explained(RulesPlan(files=(("r.yml", RULES),)))}


def test_a_local_rule_is_decided_where_its_samples_are_as_they_arrive() -> None:
    hot = rules()["Hot"]
    assert (hot.kind, hot.group, hot.every_ms) == ("alert", "hosts", 15_000)
    assert (hot.spans, hot.spans_itself, hot.waits) == ("", "", "")
    (read,) = hot.reads
    assert (read.selector, read.reach_ms, read.series_bytes) == ("temperature", 300_000, 480)


def test_rules_of_one_shape_are_counted_and_steps_that_they_share() -> None:
    found = rules()
    assert (found["Hot"].shape, found["Hot"].alike) == ("• > #", 1)
    assert (found["Hot"].steps, found["Hot"].shared, found["Hot"].alone) == (3, 1, 0)
    assert found["Quiet"].shape == "rate(•[5m]) > #"


def test_one_rule_that_spans_takes_its_group_along_and_each_says_why() -> None:
    found = rules()
    job, quiet = found["job:rate"], found["Quiet"]
    assert job.spans_itself == "sum joins series of different instances"
    assert quiet.spans_itself == ""
    assert job.spans == quiet.spans == f"job:rate: {job.spans_itself}"
    assert quiet.waits
    assert found["Slow"].spans == (
        "Slow: it reads job:rate, which is recorded without the label instance"
    )


def test_a_query_offset_reaches_further_back() -> None:
    quiet = rules()["Quiet"]
    assert (quiet.every_ms, quiet.offset_ms) == (60_000, 30_000)
    assert quiet.reads[0].reach_ms == 330_000


def test_series_that_a_rule_makes_are_said_to_be_its() -> None:
    found = rules()
    assert found["job:rate"].reads[0].recorded_by == "r.yml:hosts"
    assert found["Slow"].reads[0].recorded_by == "r.yml:jobs"
    assert found["Hot"].reads[0].recorded_by == ""


def test_long_ranges_are_said_to_be_partials_and_take_less_than_samples_would() -> None:
    raw, far = rules()["Week"].reads
    assert (raw.partials, far.partials) == (False, True)
    assert raw.reach_ms < 3_600_000
    assert far.reach_ms == 7 * 86_400_000
    assert 0 < far.series_bytes < 7 * 8_640 * 16
    assert rules()["Week"].series_bytes == raw.series_bytes + far.series_bytes

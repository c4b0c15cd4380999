from math import isnan

import pytest

from processors.promql.memory import MemorySource
from processors.rules.alert_series import wanted
from processors.rules.file import load
from processors.rules.group import Memory
from processors.rules.template import BadTemplate, Surroundings, compiled

SERIES = [
    ((("__name__", "up"), ("job", job)), [(0, value)]) for job, value in (("a", 1.0), ("b", 2.0))
]
AROUND = Surroundings(MemorySource.of([*SERIES, ((("__name__", "secret"),), [(0, 9.0)])]), 0)
BY_JOB = """{{ query (printf "up{job='%s'}" $labels.job) | first | value }}"""


def test_a_query_that_the_alert_completes_reads_its_metric_alone() -> None:
    template = compiled(BY_JOB)
    (use,) = template.plans[0].selectors
    assert [str(each.value) for each in use.selector.matchers] == ["up"]
    assert template.expand((("job", "b"),), 0.0, AROUND) == "2"


def test_a_label_cannot_make_a_query_read_something_else() -> None:
    hostile = compiled(BY_JOB).expand((("job", "'} or secret{x='"),), 0.0, AROUND)
    assert hostile.startswith("<error expanding template: ")
    assert "the query reads what was not known when the rule was loaded" in hostile


def test_a_query_of_nothing_reads_nothing_whatever_a_label_says() -> None:
    template = compiled('{{ printf "%s" $labels.q | query | first | value }}')
    assert template.plans[0].selectors == ()
    assert template.expand((("q", "2 * 3"),), 0.0, AROUND) == "6"
    assert "was not known" in template.expand((("q", "secret"),), 0.0, AROUND)


def test_a_matcher_that_is_known_narrows_what_is_read() -> None:
    (plan,) = compiled('{{ $q := "up{job=\\"a\\"}" }}{{ range query $q }}{{ end }}').plans
    assert len(plan.selectors[0].selector.matchers) == 2


@pytest.mark.parametrize(
    "text",
    [
        "{{ query $labels.q }}",
        "{{ $labels.q | query }}",
        "{{ printf \"{job='%s'}\" $labels.q | query }}",
        '{{ printf "up offset %s" $labels.q | query }}',
        '{{ query "up[5m]" }}',
        '{{ $q := "up" }}{{ $q = $labels.q }}{{ query $q }}',
        "{{ range $q := $labels }}{{ query $q }}{{ end }}",
        "{{ with query }}{{ end }}",
    ],
)
def test_a_query_whose_reading_is_not_known_is_refused_at_load(text: str) -> None:
    with pytest.raises(BadTemplate):
        compiled(text)


RULES = """
groups:
- name: g
  rules:
  - {alert: Down, expr: up == 1, for: 1m, labels: {to: "{{ $labels.no }}"}}
  - {record: told, expr: 'count by (alertstate) (ALERTS)'}
"""


def test_active_alerts_are_series_that_later_rules_see() -> None:
    (group,) = load(RULES, "f.yml").groups
    first = group.evaluate(AROUND.source, 0, Memory(), alert_series=True)
    written = {dict(labels)["__name__"]: (dict(labels), value) for labels, value in first.samples}
    assert written["told"] == ({"__name__": "told", "alertstate": "pending"}, 1.0)
    assert written["ALERTS"][0]["to"] == "{{ $labels.no }}"
    assert written["ALERTS_FOR_STATE"][1] == 0.0
    later = group.evaluate(AROUND.source, 60_000, first.memory, alert_series=True)
    states = [(dict(labels).get("alertstate"), not isnan(v)) for labels, v in later.samples]
    assert states == [
        ("firing", True), (None, True), ("pending", False), ("firing", True), ("pending", False)
    ]  # fmt: skip
    assert group.evaluate(AROUND.source, 0, Memory()).samples == ()


def test_alerts_are_recorded_where_somebody_may_read_them() -> None:
    groups = load(RULES, "f.yml").groups
    assert wanted(u.selector for r in groups[0].rules for p in r.plans for u in p.selectors)
    plans = load(RULES.replace("(ALERTS)", "(up)"), "f.yml").groups[0].rules[1].plans
    assert not wanted(use.selector for plan in plans for use in plan.selectors)

"""What a detector serves of ranges beyond its raw windows, and what it refuses, with the cost."""

from pathlib import Path

import pytest

from ops.cli import main
from processors.partials.planning import long_uses, planned
from processors.partials.table import series_bytes
from processors.promql.errors import Refused
from processors.promql.plan import compile
from processors.rules.file import BadRules
from processors.rules_plan import RulesPlan

TEN, ONE = 600_000, 60_000
CELLS = {
    "rate(x[2h])": None,
    "x offset 115m": None,
    "x offset 2h": ONE,
    "rate(x[3h])": ONE,
    "rate(x[1d])": ONE,
    "rate(x[3d])": TEN,
    "avg_over_time(x[30d])": TEN,
    "x offset 7d": TEN,
    "rate(x[5m] offset 7d)": ONE,
    "max_over_time(rate(x[5m])[1d:5m])": ONE,
    "max_over_time(x[7d:1h])": TEN,
}


@pytest.mark.parametrize(("expr", "resolution"), CELLS.items())
def test_how_long_cells_are(expr: str, resolution: int | None) -> None:
    found = [use.resolution for use in long_uses(planned(compile(expr)))]
    assert found == ([] if resolution is None else [resolution])


def test_raw_samples_are_kept_until_cells_close_and_no_longer() -> None:
    plan = planned(compile("rate(x[1d]) > 2 * rate(x[1h])"))
    assert {use.selector.metric: use.reach_ms for use in plan.selectors} == {"x": 3_600_000}
    plan = planned(compile("rate(x[1d])"))
    assert [use.reach_ms for use in plan.selectors] == [360_000]


def test_an_offset_of_the_group_counts() -> None:
    assert not list(long_uses(planned(compile("rate(x[2h])"))))
    assert [use.reach_ms for use in long_uses(planned(compile("rate(x[2h])"), 60_000))] == [
        7_260_000
    ]


REFUSED = {
    "quantile_over_time(0.5, x[1d])": "would take 138 kB a series",
    "mad_over_time(x[3h])": "record mad_over_time over 1h",
    "double_exponential_smoothing(x[1d], 0.5, 0.5)": "needs every sample",
    "rate(x[90s] offset 3h)": "whole minutes",
    "max_over_time(rate(x[5m])[3h:30s])": "whole minutes",
    "x offset 1y": "beyond what partials are kept for",
}


@pytest.mark.parametrize(("expr", "reason"), REFUSED.items())
def test_what_cannot_be_served_is_refused_with_what_to_do(expr: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        planned(compile(expr))


def test_a_rule_file_is_refused_by_file_and_line() -> None:
    text = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: quantile_over_time(0.5, x[1d])\n"
    with pytest.raises(BadRules, match=r"^r.yml:5: groups\[0\].rules\[0\].expr: .* 138 kB"):
        RulesPlan(files=(("r.yml", text),)).load()


def test_a_query_of_a_template_reads_raw_samples_alone() -> None:
    text = (
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x\n"
        "    annotations: {n: '{{ query \"rate(x[3h])\" }}'}\n"
    )
    with pytest.raises(BadRules, match="template's query reads raw samples"):
        RulesPlan(files=(("r.yml", text),)).load()


def test_a_day_of_a_counter_takes_less_than_an_eighth_of_its_samples() -> None:
    (use,) = long_uses(planned(compile("max_over_time(x[1d])")))
    samples = 86_400_000 // 10_000 * 16
    assert series_bytes(use.fields, use.resolution, use.reach_ms) * 8 < samples


def test_rules_check_warns_where_a_detector_refuses_and_check_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "r.yml"
    rules.write_text(
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: quantile_over_time(0.5, x[1d])\n"
    )
    assert main(["rules", "check", str(rules)]) == 0
    assert "WARNING" in capsys.readouterr().err
    settings = tmp_path / "tocsin.yaml"
    settings.write_text("rules: [r.yml]\n")
    assert main(["check", "--config", str(settings)]) != 0
    assert "138 kB" in "".join(capsys.readouterr())

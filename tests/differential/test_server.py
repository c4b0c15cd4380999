import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.promql.plan import compile
from processors.promql.vector import Vector
from tests.differential import promtool, samples
from tests.differential.compare import agree, ours
from tests.differential.grammar import expressions, instants
from tests.differential.promtool import Answer
from tests.differential.server import Server, prometheus, serving
from tests.differential.test_promtool import EXAMPLES, patient

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        prometheus() is None or promtool.promtool() is None,
        reason="no server: name Prometheus 3's binaries in PROMETHEUS and PROMTOOL (`make peers`)",
    ),
]
SETS = 12
SUBQUERY = re.compile(r"\[[^\]]*:")
APART = 7_200_000  # milliseconds, so that no expression sees two sets, nor times before 1970


@dataclass(frozen=True)
class Oracle:
    """A server, and our sources of the same sets of series."""

    server: Server
    sources: list[MemorySource]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    sets = [
        (APART * (place + 1), samples.series(Random(place), wild=place % 2 == 1, stale=False))
        for place in range(SETS)
    ]
    with serving(sets, tmp_path_factory.mktemp("prometheus")) as server:
        yield Oracle(server, [samples.source(series, base) for base, series in sets])


@dataclass(frozen=True)
class Case:
    place: int
    expr: str
    at: int
    step: int


def cases() -> st.SearchStrategy[list[Case]]:
    def of(place: int) -> st.SearchStrategy[Case]:
        base = APART * (place + 1)
        expr = expressions(experimental=True, base=base)
        at = instants().map(lambda at: base + at)
        return st.builds(Case, st.just(place), expr, at, st.sampled_from([5_000, 7_000, 60_000]))

    return st.lists(st.integers(0, SETS - 1).flatmap(of), min_size=30, max_size=30)


@patient
@given(cases=cases())
def test_instant_queries_answer_as_prometheus_does(oracle: Oracle, cases: list[Case]) -> None:
    different = []
    for case in cases:
        theirs = oracle.server.query(case.expr, case.at)
        mine = ours(case.expr, case.at, oracle.sources[case.place])
        if not agree(case.expr, mine, theirs):
            different.append((case, mine, theirs))
    assert different == []


@settings(patient, max_examples=max(1, EXAMPLES // 4))
@given(cases=cases())
def test_range_queries_answer_as_prometheus_does(oracle: Oracle, cases: list[Case]) -> None:
    different = []
    for case in cases:
        end = case.at + 3 * case.step
        theirs = oracle.server.query_range(case.expr, case.at, end, case.step)
        mine = stepped(case, oracle.sources[case.place], end)
        if isinstance(theirs, str) and SUBQUERY.search(case.expr):
            continue  # of a step that lies between the windows, perhaps: docs/promql.md
        if not agree(case.expr, mine, theirs):
            different.append((case, mine, theirs))
    assert different == []


def stepped(case: Case, source: MemorySource, end: int) -> Answer:
    """Our answers at every step, the time as a label; the first error ends it."""
    found = []
    for at in range(case.at, end + 1, case.step):
        answer = ours(case.expr, at, source, (case.at, end), case.step)
        if isinstance(answer, str):
            return answer
        found += [((*labels, ("@", str(at))), value) for labels, value in answer]
    return found


ORDERED = [
    "sort(m)",
    "sort_desc(m)",
    "sort(-n)",
    'sort_by_label(m{host!=""}, "host")',
    'sort_by_label(m{host!=""}, "host", "job")',
    'sort_by_label_desc({__name__=~"m|n"}, "job")',
    'sort_by_label_desc(m, "nosuch")',
    "topk(3, m)",
    "bottomk(3, n)",
]


@pytest.mark.parametrize("expr", ORDERED)
def test_sorted_answers_have_prometheus_order(oracle: Oracle, expr: str) -> None:
    plan = compile(expr)
    for place, source in enumerate(oracle.sources):
        at = APART * (place + 1) + 60_000
        theirs = oracle.server.query(expr, at)
        value = plan.evaluate(source, at)
        assert isinstance(value, Vector)
        assert not isinstance(theirs, str)
        mine = plan.listed(value)
        # Equal values have no order; labels have one, where they are there.
        if "label" in expr:
            assert [labels for labels, _ in mine] == [labels for labels, _ in theirs]
        else:
            assert list(map(repr, numbers(mine))) == list(map(repr, numbers(theirs)))


def numbers(answer: list[tuple[Labels, float]]) -> list[float]:
    return [value + 0.0 for _, value in answer]  # one zero for both signs

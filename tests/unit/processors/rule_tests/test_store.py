from hypothesis import given
from hypothesis import strategies as st

from processors.promql.columns import Source
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.promql.plan import compile
from processors.promql.vector import Vector
from processors.rule_tests.store import Store

SERIES: list[Labels] = [
    (("__name__", name), ("a", a)) for name in ("m", "n") for a in ("1", "2", "3")
]
TIMES = st.lists(st.booleans(), min_size=1, max_size=120)


@given(st.lists(TIMES, min_size=6, max_size=6), st.integers(0, 1_300))
def test_a_growing_store_answers_as_a_fixed_one(given_samples: list[list[bool]], at: int) -> None:
    store = Store()
    fixed: list[tuple[Labels, list[tuple[int, float]]]] = []
    for number, (labels, there) in enumerate(zip(SERIES, given_samples, strict=True)):
        fixed.append(
            (labels, [(i * 10, i + number / 8) for i, is_there in enumerate(there) if is_there])
        )
    for time in range(0, 1_200, 10):
        new = [(labels, dict(each)[time]) for labels, each in fixed if time in dict(each)]
        assert store.add(new, time) == []
    memory = MemorySource.of(fixed)
    for expr in ("sum_over_time(m[300ms])", '{a="2"}', "last_over_time({__name__=~'m|n'}[50ms])"):
        assert value(expr, store, at) == value(expr, memory, at)


def value(expr: str, source: Source, at: int) -> list[tuple[Labels, float]]:
    found = compile(expr, 200).evaluate(source, at)
    assert isinstance(found, Vector)
    return sorted(found.items())


def test_a_sample_that_is_no_newer_is_refused_with_what_is_there() -> None:
    store = Store()
    assert store.add([(SERIES[0], 1.0)], 10) == []
    assert store.add([(SERIES[0], 2.0), (SERIES[1], 3.0)], 10) == [((10, 1.0), 2.0)]
    assert store.add([(SERIES[0], 2.0)], 5) == [((10, 1.0), 2.0)]

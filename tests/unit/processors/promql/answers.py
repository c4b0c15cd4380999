"""Series and answers in the short form that tests of the engine are written in."""

from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.promql.plan import compile
from processors.promql.vector import Vector

Series = list[tuple[Labels, list[tuple[int, float]]]]


def series(name: str, *samples: tuple[int, float], **labels: str) -> Series:
    """A series with (seconds, value) samples."""
    pairs = tuple(sorted([("__name__", name), *labels.items()]))
    return [(pairs, [(at * 1000, value) for at, value in samples])]


def steady(name: str, *values: float, step: int = 10, **labels: str) -> Series:
    """A series with a value every `step` seconds from 0."""
    return series(name, *((at * step, value) for at, value in enumerate(values)), **labels)


def listed(
    expr: str, of: Series, at: int, bounds: tuple[int, int] | None = None
) -> list[tuple[str, float]]:
    """The answer in its order, with labels as `a=b,c=d`."""
    edges = None if bounds is None else (bounds[0] * 1000, bounds[1] * 1000)
    plan = compile(expr, default_step=10_000)
    value = plan.evaluate(MemorySource.of(of), at * 1000, edges)
    assert isinstance(value, Vector)
    return [(",".join(f"{n}={v}" for n, v in labels), each) for labels, each in plan.listed(value)]


def answer(
    expr: str, of: Series, at: int, bounds: tuple[int, int] | None = None
) -> dict[str, float]:
    """The answer by labels."""
    return dict(listed(expr, of, at, bounds))

"""The rules of a plan evaluated together: a source that knows what their expressions come to."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Protocol, Self, TypeAlias, cast

from processors.promql.columns import Columns, Source
from processors.promql.fusion.engine import Answers, Fusion
from processors.promql.fusion.leaves import Numbered
from processors.promql.labels import Labels
from processors.promql.plan import Plan
from processors.promql.selector import Selector

Samples: TypeAlias = list[tuple[Labels, float]]


class Answering(Source, Protocol):
    """A source that has evaluated plans already."""

    def answer(self, plan: Plan, at: int) -> Samples | None:
        """The result at an instant; None where the plan is to be evaluated alone."""
        ...


def answering(source: Source) -> Answering | None:
    """The source, if it knows answers."""
    return cast(Answering, source) if hasattr(type(source), "answer") else None


class Together:
    """Plans that are due at the same instants, set by set."""

    def __init__(self, sets: Iterable[Iterable[Plan]] = ()) -> None:
        self._fusions: dict[Plan, Fusion] = {}
        for plans in sets:
            known = tuple(plans)
            fusion = Fusion(known)
            self._fusions.update((plan, fusion) for plan in known)

    @classmethod
    def of(cls, sets: Iterable[tuple[Hashable, Iterable[Plan]]]) -> Self:
        """Sets with equal keys become one."""
        found: dict[Hashable, list[Plan]] = {}
        for key, plans in sets:
            found.setdefault(key, []).extend(plans)
        return cls(found.values())

    def over(self, source: Source) -> Source:
        """The source, with answers to these plans; good while its samples are the same."""
        # Asking a protocol itself costs as much as some evaluations.
        numbered = hasattr(type(source), "reader")
        return Answered(cast(Numbered, source), self._fusions) if numbered else source


class Answered:
    """Evaluates all plans of a set at an instant when the first of them is asked for."""

    def __init__(self, source: Numbered, fusions: Mapping[Plan, Fusion]) -> None:
        self._source = source
        self._fusions = fusions
        self._answers: dict[tuple[Fusion, int], Answers] = {}

    @property
    def partials(self) -> object:
        """Those of the source, if it keeps any (`processors.partials`)."""
        return getattr(self._source, "partials", None)

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """What the source selects."""
        return self._source.select(selector, start, end)

    def answer(self, plan: Plan, at: int) -> Samples | None:
        """The result at an instant; None where the plan is to be evaluated alone."""
        fusion = self._fusions.get(plan)
        if fusion is None:
            return None
        answers = self._answers.get((fusion, at))
        if answers is None:
            answers = self._answers[fusion, at] = fusion.evaluate(self._source, at)
        return answers.of(plan)

"""The templates of labels and annotations: compiled at load, expanded for each alert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from processors.promql.columns import Source
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.promql.plan import DEFAULT_STEP, LOOKBACK, Plan
from processors.templates.functions import FUNCTIONS
from processors.templates.queries import Answers, Queries, queries_of
from processors.templates.values import VARIABLES, Facts
from schemas.templates.blocks import Block, Words, run
from schemas.templates.errors import BadTemplate, Unexpandable
from schemas.templates.parser import Parsed, parse
from schemas.templates.running import State

__all__ = ["NOWHERE", "BadTemplate", "Surroundings", "Template", "compiled"]

# Prometheus writes this before every template; its messages count characters from there.
_PRELUDE = (
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"
    "{{$externalURL := .ExternalURL}}{{$value := .Value}}"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a template may ask about besides its alert; `at` is the evaluation's instant in ms."""

    source: Source
    at: int
    external_labels: Labels = ()
    external_url: str = ""


NOWHERE = Surroundings(MemorySource.of([]), 0)
"""No series, at no time."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Text with actions; `name` is what messages call it."""

    text: str
    name: str
    block: Block
    definitions: Mapping[str, Block]
    queries: Queries
    fixed: str | None = field(default=None)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """What its queries read."""
        return self.queries.plans

    def expand(self, labels: Labels, value: float, around: Surroundings = NOWHERE) -> str:
        """The text for one alert; a failure stands in it, as in Prometheus."""
        if self.fixed is not None:
            return self.fixed
        facts = Facts(dict(labels), dict(around.external_labels), around.external_url, value)
        world = Answers(self.queries, around.source, around.at, around.external_url)
        state = State(facts.variables(), FUNCTIONS, self.definitions, world)
        try:
            run(self.block, state, facts)
        except Unexpandable as fault:
            return f"<error expanding template: {self._located(state, fault)}>"
        return "".join(state.out)

    def _located(self, state: State, fault: Unexpandable) -> str:
        node = state.node
        start = f"error executing template {self.name}: template: {self.name}:"
        if node is None:
            return f"{start} {fault}"
        before = self.text[: node.at]
        line = before.count("\n") + 1
        column = len(before.rpartition("\n")[2].encode(errors="replace")) + (
            len(_PRELUDE) if line == 1 else 0
        )
        return f'{start}{line}:{column}: executing "{self.name}" at <{node.text}>: {fault}'


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Parsed:
    """Rule files say the same thing many times."""
    return parse(text, FUNCTIONS, VARIABLES)


def compiled(
    text: str,
    name: str = "template",
    lookback: int = LOOKBACK,
    default_step: int = DEFAULT_STEP,
) -> Template:
    """Reads a template; raises BadTemplate. The last two are for its queries."""
    if "{{" not in text:
        return Template(text, name, (Words(text),), {}, Queries(), text)
    parsed = _parsed(text)
    # Most templates ask nothing, and need not be searched for it.
    queries = queries_of(parsed, lookback, default_step) if "query" in text else Queries()
    return Template(text, name, parsed.block, parsed.definitions, queries)

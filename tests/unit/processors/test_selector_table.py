"""The table against asking every selector."""

from hypothesis import given
from hypothesis import strategies as st

from processors.promql.plan import SelectorUse, compile
from processors.selector_table import SelectorTable
from schemas.labels import labels_of

SELECTORS = [
    "m",
    "n",
    'm{a="1"}',
    'm{a="2",b="1"}',
    'm{b="1"}',
    'm{a!="1"}',
    'm{a=~"1|2"}',
    'm{a=""}',
    '{a="1"}',
    '{a="1",b="2"}',
    '{__name__=~"m|n"}',
    '{__name__=~".+",b="2"}',
]
labels = st.fixed_dictionaries(
    {"__name__": st.sampled_from("mno")},
    optional={"a": st.sampled_from("12"), "b": st.sampled_from("12"), "c": st.just("1")},
)


@given(st.lists(st.sampled_from(SELECTORS), unique=True), labels)
def test_the_table_finds_what_asking_every_selector_finds(
    chosen: list[str], pairs: dict[str, str]
) -> None:
    uses = [use for text in chosen for use in compile(text).selectors]
    series = labels_of(pairs)
    found = SelectorTable(uses).of(series)
    wanted = [use for use in uses if use.selector.matches(series)]
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))


def test_a_selector_of_any_metric_is_asked_once() -> None:
    uses: list[SelectorUse] = list(compile('{a="1"}').selectors)
    assert SelectorTable(uses).of(labels_of({"__name__": "m", "a": "1"})) == uses

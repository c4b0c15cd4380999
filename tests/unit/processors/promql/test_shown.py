"""Expressions as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql.parser import parse
from processors.promql.selector import Match, Matcher, Selector
from processors.promql.shown import selector_text, shape, span
from processors.promql.tree import Select

names = st.sampled_from(["__name__", "job", "instance", "a.b", "9lives", "ünï"])
values = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
plain = st.sampled_from([Match.EQUAL, Match.NOT_EQUAL])
patterns = st.builds(
    Matcher,
    names,
    st.sampled_from([Match.REGEX, Match.NOT_REGEX]),
    st.sampled_from(["a|b", ".+", 'x"y']),
)


@given(st.lists(st.builds(Matcher, names, plain, values) | patterns, max_size=4))
def test_a_selector_is_read_back_as_the_same_one(matchers: list[Matcher]) -> None:
    first = Matcher("__name__", Match.EQUAL, "up")
    text = selector_text(Selector((first, *(m for m in matchers if m.name != "__name__"))))
    found = parse(text)
    assert isinstance(found, Select)
    assert set(found.selector.matchers) == {first, *(m for m in matchers if m.name != "__name__")}


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ("up", "up"),
        ('up{job="a", x!~"b|c"}', 'up{job="a",x!~"b|c"}'),
        ('{"with.dot", "a.b"="c"}', '{__name__="with.dot","a.b"="c"}'),
        ('{__name__=~"a|b"}', '{__name__=~"a|b"}'),
    ],
)
def test_how_a_selector_is_written(selector: str, text: str) -> None:
    found = parse(selector)
    assert isinstance(found, Select)
    assert selector_text(found.selector) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("up{job='a'} == 0", "• == #"),
        ("sum by (job) (rate(x[5m] offset 1h)) > 5", "sum by (job)(rate(•[5m] offset 1h)) > #"),
        ("-(a / on (x) group_left (y) b) >= bool 1", "-(• / on (x) group_left (y) •) >= bool #"),
        ("max_over_time(x[1h:5m] @ 60)", "max_over_time(•[1h:5m] @)"),
        ("topk(3, x) unless absent(y)", "topk(#, •) unless absent(•)"),
        ("count without (a) (x)", "count without (a)(•)"),
        ('label_replace(x, "a", "$1", "b", "(.*)")', 'label_replace(•, "a", "$1", "b", "(.*)")'),
    ],
)
def test_a_shape_has_no_metrics_no_labels_and_no_numbers(text: str, wanted: str) -> None:
    assert shape(parse(text)) == wanted


@pytest.mark.parametrize(("ms", "text"), [(0, "0s"), (90_000, "1m30s"), (-1_500, "-1s500ms")])
def test_a_length_of_time_is_written_as_promql_does(ms: int, text: str) -> None:
    assert span(ms) == text

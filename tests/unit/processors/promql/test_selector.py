import pytest

from processors.promql.selector import Match, Matcher, Selector

SERIES = (("__name__", "up"), ("job", "node-1"))


@pytest.mark.parametrize(
    ("name", "op", "value", "matches"),
    [
        ("job", Match.EQUAL, "node-1", True),
        ("job", Match.NOT_EQUAL, "node-1", False),
        ("job", Match.REGEX, "node", False),
        ("job", Match.REGEX, "node-[[:digit:]]", True),
        ("job", Match.NOT_REGEX, "x|y", True),
        ("none", Match.EQUAL, "", True),
        ("none", Match.REGEX, ".*", True),
        ("none", Match.REGEX, ".+", False),
    ],
)
def test_a_matcher_is_anchored_and_an_absent_label_is_empty(
    name: str, op: Match, value: str, matches: bool
) -> None:
    assert Selector((Matcher(name, op, value),)).matches(SERIES) is matches


def test_a_selector_is_a_key_and_knows_its_metric() -> None:
    one = Selector((Matcher("__name__", Match.EQUAL, "up"), Matcher("job", Match.REGEX, "a.*")))
    two = Selector((Matcher("__name__", Match.EQUAL, "up"), Matcher("job", Match.REGEX, "a.*")))
    assert (one, hash(one), one.metric) == (two, hash(two), "up")
    assert Selector((Matcher("__name__", Match.REGEX, "up"),)).metric is None

import pytest

from notifiers.matchers import parse_matchers, written


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('severity="critical"', '{severity="critical"}'),
        ("{foo = bar, dings != bums, }", '{foo="bar",dings!="bums"}'),
        ('statuscode=~"5.."', '{statuscode=~"5.."}'),
        ("a!~b", '{a!~"b"}'),
        ("a=", '{a=""}'),
        (r'quote="She said: \"Hi, ladies!\""', r'{quote="She said: \"Hi, ladies!\""}'),
        (r'a="x\ny\\z"', r'{a="x\ny\\z"}'),
        (r'a="\w"', r'{a="\\w"}'),
        ("", "{}"),
        ("{}", "{}"),
    ],
)
def test_the_classic_grammar(text: str, want: str) -> None:
    assert written(parse_matchers(text)) == want


@pytest.mark.parametrize(
    "text", ["a", "=b", 'a="b', 'a=b"', 'a="b"c"', ",", 'a=~"("', 'a=~"(?=x)"']
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("matcher", "labels", "want"),
    [
        ('a="b"', {"a": "b"}, True),
        ('a="b"', {"a": "bb"}, False),
        ('a=""', {}, True),
        ('a!=""', {}, False),
        ('a!="b"', {}, True),
        ('a=~"b|c"', {"a": "c"}, True),
        ('a=~"b"', {"a": "abc"}, False),
        ('a=~".*"', {}, True),
        ('a=~".+"', {}, False),
        ('a!~".+"', {}, True),
        ('a=~"(?i)B"', {"a": "b"}, True),
        ('a=~"b"', {"a": "b\n"}, False),
        ('a=~"[[:digit:]]+"', {"a": "12"}, True),
    ],
)
def test_matching_is_alertmanagers(matcher: str, labels: dict[str, str], want: bool) -> None:
    [one] = parse_matchers(matcher)
    assert one.matches(labels) is want


def test_a_hostile_expression_is_matched_in_linear_time() -> None:
    [one] = parse_matchers('a=~"(a+)+b"')
    assert not one.matches({"a": "a" * 100_000})

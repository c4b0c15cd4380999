"""What Alertmanager 0.34.2's own parsers make of these texts, asked of its code."""

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.config import read
from notifiers.matchers import (
    Matcher,
    Mode,
    Operator,
    is_label_name,
    parse_matcher,
    parse_matchers,
    written,
)

# Text, and how it is written again after classic, fallback and UTF-8; None where it is refused.
FACTS = [
    (
        'severity="critical"',
        '{severity="critical"}',
        '{severity="critical"}',
        '{severity="critical"}',
    ),
    (
        "{foo = bar, dings != bums, }",
        '{foo="bar",dings!="bums"}',
        '{foo="bar",dings!="bums"}',
        '{foo="bar",dings!="bums"}',
    ),
    ("a=", '{a=""}', '{a=""}', None),
    ("a==b", '{a="=b"}', '{a="=b"}', None),
    ('a-b="c"', None, '{a-b="c"}', '{a-b="c"}'),
    ("\xe9=x", None, '{\xe9="x"}', '{\xe9="x"}'),
    ('"a b"="c\\td"', None, '{"a b"="c\\td"}', '{"a b"="c\\td"}'),
    ('"\\u00e4"=x', None, '{\xe4="x"}', '{\xe4="x"}'),
    ('"\\xc3\\xa4"=x', None, '{\xe4="x"}', '{\xe4="x"}'),
    ('"\\xff"=x', None, None, None),
    ('a="\\w"', '{a="\\\\w"}', '{a="\\\\w"}', None),
    ('a="\\t"', '{a="\\\\t"}', '{a="\\\\t"}', '{a="\t"}'),
    ('a="\\u0041"', '{a="\\\\u0041"}', '{a="\\\\u0041"}', '{a="A"}'),
    ("a='b'", "{a=\"'b'\"}", "{a=\"'b'\"}", None),
    ("a=b c", '{a="b c"}', '{a="b c"}', None),
    ("a=b}", '{a="b"}', '{a="b"}', None),
    ("{a=b", '{a="b"}', '{a="b"}', None),
    ("{", "{}", "{}", None),
    ("", "{}", "{}", "{}"),
    ("{}", "{}", "{}", "{}"),
    (",", None, None, None),
    ("{,}", None, None, None),
    ("a=b,,c=d", None, None, None),
    ('a="b', None, None, None),
    ('a="x\ny"', '{a="x\\ny"}', '{a="x\\ny"}', None),
    ("a=b=c", '{a="b=c"}', '{a="b=c"}', None),
    ("=b", None, None, None),
    ('""=x', None, '{="x"}', '{="x"}'),
    ('a="b\\,",c=d', None, None, None),
    ('"{"="}"', None, '{"{"="}"}', '{"{"="}"}'),
    ("a=\xa0b", '{a="\xa0b"}', '{a="\xa0b"}', '{a="b"}'),
    ("{a=b}{", '{a="b}{"}', '{a="b}{"}', None),
    ('a=~"("', None, None, None),
    ('"a\xa0b"=\xe9', None, '{"a\\u00a0b"="\xe9"}', '{"a\\u00a0b"="\xe9"}'),
    ('a=~"(?=x)"', None, None, None),
    ('a=~"\\\\d+"', '{a=~"\\\\d+"}', '{a=~"\\\\d+"}', '{a=~"\\\\d+"}'),
]


def read_as(text: str, mode: Mode) -> str | None:
    try:
        return written(parse_matchers(text, mode))
    except ValueError:
        return None


@pytest.mark.parametrize(("text", "classic", "fallback", "utf8"), FACTS)
def test_each_mode_reads_as_alertmanagers(
    text: str, classic: str | None, fallback: str | None, utf8: str | None
) -> None:
    assert [read_as(text, mode) for mode in Mode] == [classic, fallback, utf8]


@pytest.mark.parametrize(
    ("text", "mode", "want"),
    [
        ("a=b,c=d", Mode.CLASSIC, 'a="b,c=d"'),
        ("a=b,c=d", Mode.FALLBACK, 'a="b,c=d"'),
        ("a=b,c=d", Mode.UTF8, "expected 1 matcher, found 2"),
        ("", Mode.UTF8, "expected 1 matcher, found 0"),
        ("{a=b", Mode.FALLBACK, "unexpected open or close brace"),
        ("a=b}", Mode.UTF8, "unexpected open or close brace"),
        ("a=b}", Mode.CLASSIC, 'a="b}"'),
        ('"a b"=c', Mode.FALLBACK, '"a b"="c"'),
    ],
)
def test_one_matcher_takes_no_braces(text: str, mode: Mode, want: str) -> None:
    try:
        found = str(parse_matcher(text, mode))
    except ValueError as fault:
        found = str(fault)
    assert want in found


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a=b c", "unexpected 'c' at column 5: expected a comma or close brace"),
        ("{a=b", "unexpected end of input at column 5: expected a comma or close brace"),
        ("{a=b,", "expected a matcher or close brace"),
        ("a", "expected an operator"),
        ("a==b", "unexpected '=' at column 3: expected a label value"),
        ('a="b', "missing closing quote of '\"b' at column 3"),
        ("a='b'", 'invalid input "\'" at column 3'),
        (r'a="\w"', r"invalid escape '\\w' in the text at column 3"),
        ('a="\n"', "a line feed in the text at column 3"),
        (r'"\xff"=a', "the text at column 1 is not UTF-8"),
        (r'a="\ud800"', "is no character"),
        (r'a="\U00110000"', "is no character"),
    ],
)
def test_what_the_utf8_grammar_refuses_it_says_with_the_column(text: str, want: str) -> None:
    with pytest.raises(ValueError) as fault:
        parse_matchers(text, Mode.UTF8)
    assert want in str(fault.value)


def test_fallback_says_what_both_grammars_miss() -> None:
    with pytest.raises(ValueError, match=r"bad matcher format: é \(in the UTF-8 grammar: .*oper"):
        parse_matchers("é")


@pytest.mark.parametrize(
    ("expression", "value", "want"),
    [
        ("x.y", "xzy", True),
        ("x.y", "x\ny", False),
        ("(?s)x.y", "x\ny", True),
        ("b", "b\n", False),
        ("a)|(b", "axx", True),
        ("a)|(b", "xxb", True),
        ("a)|(b", "xx", False),
        (r"\pL+", "äß", True),
        (".", "\U0001f600", True),
        ("(?i)É", "é", True),
        (r"\d", "\u0663", False),
    ],
)
def test_expressions_are_gos(expression: str, value: str, want: bool) -> None:
    for operator, holds in ((Operator.MATCHES, want), (Operator.MATCHES_NOT, not want)):
        assert Matcher("a", operator, expression).matches({"a": value}) is holds


@pytest.mark.parametrize("expression", [r"\C", "(?=x)", r"(a)\1", "x{1001}", "a++", "[b-a]"])
def test_what_gos_expressions_are_not_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        Matcher("a", Operator.MATCHES, expression)


def test_a_label_name_is_any_text_but_in_classic_mode() -> None:
    for text, classic in [("a", True), ("_1", True), ("1", False), ("a:b", False), ("é", False)]:
        assert is_label_name(text, Mode.CLASSIC) is classic
        assert is_label_name(text, Mode.FALLBACK)
    assert not any(is_label_name("", mode) for mode in Mode)


# What `amtool config routes test` 0.34.2 answers for the tree below.
TREE = r"""
route:
  receiver: root
  routes:
  - {matchers: ['a=~"x.y"'], receiver: dot}
  - {matchers: ['"my label"="v"'], receiver: quoted}
  - {matchers: ['{é!="", b=~"c|d"}'], receiver: utf8}
  - {matchers: ['q=~"[[:digit:]]+"'], receiver: digits}
  - {match_re: {m: 'a)|(b'}, receiver: odd}
receivers: [{name: root},{name: dot},{name: quoted},{name: utf8},{name: digits},{name: odd}]
"""


@pytest.mark.parametrize(
    ("labels", "want"),
    [
        ({"a": "xzy"}, "dot"),
        ({"a": "x\ny"}, "root"),
        ({"my label": "v"}, "quoted"),
        ({"é": "1", "b": "c"}, "utf8"),
        ({"é": "1", "b": "cd"}, "root"),
        ({"q": "123"}, "digits"),
        ({"q": "12a"}, "root"),
        ({"m": "a"}, "odd"),
        ({"m": "axx"}, "root"),
        ({"m": "xxb"}, "root"),
    ],
)
def test_routes_are_reached_as_amtool_says(labels: dict[str, str], want: str) -> None:
    config, problems = read(TREE, "r.yml")
    assert config is not None, problems
    assert [route.receiver for route in config.route.match(labels)] == [want]


def test_keys_are_written_as_amtool_shows_them() -> None:
    config, _ = read(TREE, "r.yml")
    assert config is not None
    assert [route.key for route in config.route.walk()] == [
        "{}",
        '{}/{a=~"x.y"}',
        '{}/{"my label"="v"}',
        '{}/{b=~"c|d",é!=""}',
        '{}/{q=~"[[:digit:]]+"}',
        '{}/{m=~"^(?:a)|(b)$"}',
    ]


def test_the_mode_decides_what_a_file_may_say() -> None:
    assert read(TREE, "r.yml", mode=Mode.UTF8)[1] == []
    config, problems = read(TREE, "r.yml", mode=Mode.CLASSIC)
    assert config is None
    assert [problem.line for problem in problems] == [6, 7]


NAMES = st.text(min_size=1, max_size=8) | st.text('ab {}"\\=\n', min_size=1, max_size=8)
VALUES = st.text(max_size=8) | st.text(string.punctuation + "\n\t ab\x7f", max_size=8)


@given(NAMES, st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]), VALUES)
def test_what_is_written_is_read_again(name: str, operator: Operator, value: str) -> None:
    matcher = Matcher(name, operator, value)
    for mode in (Mode.FALLBACK, Mode.UTF8):
        assert parse_matchers("{" + str(matcher) + "}", mode) == [matcher]
        assert parse_matcher(str(matcher), mode) == matcher


@given(st.text('a"\\,={}!~ \n', max_size=12), st.sampled_from(list(Mode)))
def test_any_text_is_read_or_refused_with_a_sentence(text: str, mode: Mode) -> None:
    with suppress(ValueError):
        again = written(parse_matchers(text, mode))
        assert again.startswith("{")
        assert again.endswith("}")

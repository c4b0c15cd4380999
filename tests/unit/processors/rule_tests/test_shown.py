import pytest

from processors.rule_tests import durations
from processors.rule_tests.difference import difference
from processors.rule_tests.junit import Case, Suite, xml
from processors.rule_tests.shown import labels, samples


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0s"), (90_000, "1m30s"), (86_400_000, "1d"), (7 * 86_400_000, "1w"), (1, "1ms"),
        (8 * 86_400_000, "8d"), (365 * 86_400_000, "1y"), (3_661_001, "1h1m1s1ms"),
    ],
)  # fmt: skip
def test_durations_are_written_as_promtool_does(milliseconds: int, text: str) -> None:
    assert durations.text(milliseconds) == text


def test_labels_and_values_are_gos() -> None:
    assert labels((("a b", 'x"\n'), ("c", "é"))) == '{"a b"="x\\"\\n", c="é"}'
    assert samples([((), 0.1), ((("a", "b"),), -0.0)]) == '{} 1E-01, {a="b"} -0E+00'


def test_a_difference_marks_its_lines() -> None:
    assert difference("a\nb", "a\nc", "  ") == "\n    a\n  - b\n  + c"


def test_junit_has_every_case_and_no_control_characters() -> None:
    text = xml(
        [Suite("f", (Case("one", ()), Case("two", ("<&\x00",)))), Suite("g", (), "gone")], "T"
    )
    assert text == (
        '<testsuites><testsuite name="f" tests="2" failures="1" errors="0" skipped="0" '
        'timestamp="T"><testcase name="one" /><testcase name="two"><failure>&lt;&amp;\ufffd'
        '</failure></testcase></testsuite><testsuite name="g" tests="0" failures="0" errors="1" '
        'skipped="0" timestamp="T"><testcase name="unknown"><error>gone</error></testcase>'
        "</testsuite></testsuites>"
    )

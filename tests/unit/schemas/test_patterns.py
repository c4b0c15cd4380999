"""Which regular expressions are refused for the time that they could take."""

import re
import time

import pytest

from schemas.patterns import refuse_slow


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a*)*",
        "(?:a+){5,}",
        "(?:a?){40}a{40}",
        "(a|a)*",
        "(a|ab)*c",
        "(ab|)*",
        "(?:.|\n)+x",
        "(?:[0-9]|1b)*x",
        "(?i)(?:aB|Ac)+",
        "x(?:y(?:z+))*",
        "(?=(a+)+b)a",
        "(ok|(a+)+b)",
        "(?:[a-z]+-)*x",
        "(?:a{1,2})+b",
        "(a+)+?b",
        "((a)|(a))*b",
    ],
)
def test_a_repetition_inside_a_repetition_is_refused(pattern: str) -> None:
    re.compile(pattern)
    with pytest.raises(ValueError, match="could take exponential time"):
        refuse_slow(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        ".*",
        "5..",
        "a|b|c",
        "(foo|bar).*",
        ".+-[0-9]+",
        "(a|b)+",
        "(foo|bar)+",
        "(?:ab)*",
        "(?:[a-z]{3}-)+x",
        "(?i).*tail.*",
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}",
        "(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}",
        "^(fuse.*|tmpfs|cifs|nfs)",
        ".*old.*|.*major.*",
    ],
)
def test_what_people_write_is_not(pattern: str) -> None:
    refuse_slow(pattern)


@pytest.mark.parametrize("pattern", ["(a|b)+", "(?:ab|cd)*", "(?:[ab]{2})+"])
def test_what_passes_is_fast_on_a_text_made_against_it(pattern: str) -> None:
    refuse_slow(pattern)
    began = time.process_time()
    assert re.fullmatch(pattern, "ab" * 20_000 + "!") is None
    assert time.process_time() - began < 1.0

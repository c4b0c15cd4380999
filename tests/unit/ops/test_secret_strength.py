import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.secret_strength import bits, weakness

HEX, LETTERS = (
    "0123456789abcdef",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
)


@pytest.mark.parametrize(("alphabet", "length"), [(HEX, 32), (HEX, 64), (LETTERS, 22)])
@given(seed=st.integers(0, 2**32))
def test_sixteen_random_bytes_are_enough(alphabet: str, length: int, seed: int) -> None:
    drawn = random.Random(seed).choices(alphabet, k=length)
    assert weakness("".join(drawn)) == ""


@pytest.mark.parametrize(
    "secret",
    [
        "0123456789abcdef",
        "0123456789abcdef0123456789abcdef",
        "fedcba9876543210",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababababababab",
        "hunter2hunter2hunter2hunter2",
        "2026-01-01-12-00-00",
    ],
)
def test_repetitions_and_sequences_are_weak(secret: str) -> None:
    assert weakness(secret) == "is short or easy to guess"


@pytest.mark.parametrize(
    "secret",
    [
        "change-me-please-change-me",
        "REPLACE_ME_REPLACE_ME",
        "tocsin-production-token",
        "my-example-password-123",
        "ClickHouse-analyst-1",
    ],
)
def test_words_of_examples_are_weak(secret: str) -> None:
    assert weakness(secret) == "is made of words that everybody tries first"


@given(st.text(max_size=40))
def test_more_of_the_same_adds_nothing(text: str) -> None:
    assert bits(text * 3) == pytest.approx(bits(text))

"""How hard a secret is to guess, judged by its text alone."""

import re
from collections import Counter
from math import log2
from typing import Final

ENOUGH_BITS: Final = 60.0
"""Of 16 different characters, the shortest token that is accepted, the text shows 64.

16 random bytes come to 87 and more in hexadecimal, to 70 and more in base64 (20,000 tried).
"""
_WORDS: Final = re.compile(
    r"change.?(me|this|it)|replace.?(me|this)|your.?|password|passwort|passwd|secret|token|tocsin|"
    r"example|sample|default|admin|analyst|clickhouse|kafka|test(ing)?|dev(elopment)?|prod(uction)?|"
    r"staging|docker|local(host)?|letmein|qwerty|insecure|dummy|xxx+",
    re.IGNORECASE,
)


def weakness(secret: str) -> str:
    """Why this is too easy to guess; empty if it is not."""
    rest = _WORDS.sub("", secret)
    if bits(rest) >= ENOUGH_BITS:
        return ""
    if rest != secret:
        return "is made of words that everybody tries first"
    return "is short or easy to guess"


def bits(text: str) -> float:
    """The entropy of its characters; repetitions and sequences (abcd, 9876) count little."""
    period = (text + text).find(text, 1)
    kept = _without_runs(text[:period] if period > 0 else text)
    counts = Counter(kept)
    return -sum(n * log2(n / len(kept)) for n in counts.values()) if kept else 0.0


def _without_runs(text: str) -> str:
    """The text without characters that continue the step of the two before them."""
    codes = [ord(character) for character in text]
    return "".join(
        character
        for at, character in enumerate(text)
        if at < 2 or codes[at] - codes[at - 1] != codes[at - 1] - codes[at - 2]
    )

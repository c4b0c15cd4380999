"""Texts cut to what a receiver takes."""

from bisect import bisect_right
from collections.abc import Callable

MARK = "…"


def cut(text: str, most: int) -> str:
    """The text in at most so many characters (> 0), the last a mark where something is missing."""
    return text if len(text) <= most else text[: most - 1] + MARK


def fitting(text: str, size: Callable[[str], int], most: int) -> str:
    """The longest beginning, with a mark, whose `size` is at most `most`; "" if none is.

    `size` must not shrink as the text grows.
    """
    if size(text) <= most:
        return text
    kept = bisect_right(range(1, len(text) + 1), most, key=lambda end: size(text[:end] + MARK))
    return text[:kept] + MARK if kept else ""


def quoted(text: str, secret: str, most: int = 200) -> str:
    """What a server said, fit for a log line: on one line, short, without the secret."""
    bare = text.replace(secret, "***") if secret else text
    return cut("".join(char if char.isprintable() else " " for char in bare[: 2 * most]), most)

"""How long to leave a log alone that does not answer: pure, but for the error that carries it."""

from schemas.errors import LogAway

FIRST = 0.5
LONGEST = 15.0
"""Seconds; within 30 of the log's return an agent has found it again."""


class Throttled(LogAway):
    """The log asks to be left alone for `wait` seconds."""

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


def backoff(failures: int, jitter: float) -> float:
    """Seconds until the next try after so many failures in a row; `jitter` in [0, 1) spreads a
    fleet over the upper half of the wait."""
    longest = min(LONGEST, FIRST * 2.0 ** min(max(failures - 1, 0), 16))
    return longest * (0.5 + jitter / 2)

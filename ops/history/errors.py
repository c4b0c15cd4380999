"""What history answers when it cannot: come again, or do not.

TocsinError
└── HistoryError
    ├── HistoryAway      retry: no answer, too busy, too full; the same call may succeed later
    └── HistoryRefused   stop or answer: understood and refused; asking again changes nothing
        └── HistoryNewer     stop: the stored schema is of a newer version than this code
"""

from schemas.errors import TocsinError


class HistoryError(TocsinError):
    """History did not do what was asked; `code` is ClickHouse's number, 0 without one."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class HistoryAway(HistoryError):
    """History does not answer or cannot take it now: keep the work and ask again."""


class HistoryRefused(HistoryError):
    """History understood and refused: the same call will be refused again."""


class HistoryNewer(HistoryRefused):
    """The stored schema is newer than this code knows: install the newer version."""

"""Which grammar matchers and label names are read in; apart, so that settings need no RE2."""

from enum import StrEnum


class Mode(StrEnum):
    """Alertmanager's three modes; its default is FALLBACK.

    FALLBACK takes both grammars; where both read a text but not alike, the classic one holds.
    """

    CLASSIC = "classic"
    FALLBACK = "fallback"
    UTF8 = "utf8"

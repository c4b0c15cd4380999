"""What may go wrong with a template: refused at load, or failed on the values of one alert."""


class BadTemplate(ValueError):
    """A template that is not Go's, or uses what we do not support; lines and columns from 1."""

    def __init__(self, line: int, reason: str, column: int = 1) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column
        self.reason = reason


class Unexpandable(Exception):
    """A step that cannot take its value, in Go's words; the text says so in place of the rest."""


class TooMuch(Unexpandable):
    """The text, or the work for it, has no end in sight; what was written so far stands."""

"""What may go wrong with a template: refused at load, or failed on the values of one alert."""


class BadTemplate(ValueError):
    """A template that is not Go's, or uses what we do not support; `line` counts within it."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Unexpandable(Exception):
    """A step that cannot take its value, in Go's words; the text says so in place of the rest."""

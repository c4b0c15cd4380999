"""What may go wrong with an expression: refused at load, or failed on this data."""


class Refused(ValueError):
    """An expression that cannot be parsed or is not supported; `reason` names the construct."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EvaluationFailed(Exception):
    """An expression that has no answer on the series of this instant, in Prometheus's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

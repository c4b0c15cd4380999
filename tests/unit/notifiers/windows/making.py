"""Windows for tests."""

from schemas.commands import SilenceMatcher
from schemas.windows import WindowSet
from tests.unit.notifiers.scenario import seconds

HOUR = 3_600_000


def matcher(text: str = "alertname=~a.*") -> SilenceMatcher:
    """One condition: name, operator, value."""
    for operator in ("=~", "!~", "!=", "="):
        name, found, value = text.partition(operator)
        if found:
            return SilenceMatcher.model_validate(
                {"name": name, "operator": operator, "value": value}
            )
    raise ValueError(text)


def wish(start: float = 0, end: float | None = None, **fields: object) -> WindowSet:
    """A window on alerts whose names begin with an a; from and to in seconds of the day."""
    given: dict[str, object] = {
        "id": "w",
        "sets": ((matcher(),),),
        "owner": "ada",
        "comment": "patches",
        "starts_at": seconds(start),
        "ends_at": None if end is None else seconds(end),
    }
    return WindowSet.model_validate(given | fields)

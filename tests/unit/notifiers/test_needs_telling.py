import pytest

from notifiers.needs_telling import Entry, needs_telling
from schemas.deliveries import Why

NONE: frozenset[str] = frozenset()


def entry(firing: str, resolved: str = "", at: int = 0) -> Entry:
    return Entry(frozenset(firing), frozenset(resolved), at)


@pytest.mark.parametrize(
    ("told", "firing", "resolved", "send_resolved", "want"),
    [
        (None, "a", "", True, Why.FIRST),
        (None, "", "", True, Why.NOTHING),
        (None, "", "a", True, Why.NOTHING),
        (entry("a"), "ab", "", True, Why.GREW),
        (entry(""), "a", "", True, Why.FIRST),
        (entry("ab"), "a", "", True, Why.NOTHING),
        (entry("ab"), "a", "b", True, Why.SOME_RESOLVED),
        (entry("ab"), "a", "b", False, Why.NOTHING),
        (entry("ab", "b"), "a", "b", True, Why.NOTHING),
        (entry("a"), "", "a", True, Why.ALL_RESOLVED),
        (entry("a"), "", "a", False, Why.ALL_RESOLVED),
        (entry(""), "", "a", True, Why.NOTHING),
        (entry("a"), "b", "a", True, Why.GREW),
        (entry("a", at=-51), "a", "", True, Why.REPEAT),
        (entry("a", at=-50), "a", "", True, Why.NOTHING),
    ],
)
def test_the_decision_is_alertmanagers(
    told: Entry | None, firing: str, resolved: str, send_resolved: bool, want: Why
) -> None:
    why = needs_telling(
        told, set(firing), set(resolved), send_resolved=send_resolved, repeat=100, at=50
    )
    assert why is want

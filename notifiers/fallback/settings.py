"""`fallback:` and `fallback_after:` of a receiver (ours)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from notifiers.yaml_reader import Section

AFTER = 300_000
SHORTEST, LONGEST = 1_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Fallback:
    """The receiver to tell, once a page has not been taken for so long (ms)."""

    receiver: str
    after: int = AFTER


class Named(Protocol):
    """A receiver, as far as is looked at here."""

    @property
    def fallback(self) -> Fallback | None:
        """Whom to tell instead."""
        ...


def read_fallback(found: Section) -> Fallback | None:
    """What a receiver says of its fallback; whether that exists is `check`'s to say."""
    name, after = found.text("fallback"), found.duration("fallback_after")
    if after is not None and not SHORTEST <= after <= LONGEST:
        found.problem("fallback_after", "a time from 1s to 1d is wanted")
    if not name:
        if "fallback_after" in found.items:
            hint = "write fallback: NAME, too"
            found.problem("fallback_after", "there is no fallback that could come after it", hint)
        elif "fallback" in found.items:
            found.problem("fallback", "the name of a receiver is wanted")
        return None
    return Fallback(name, AFTER if after is None else after)


def check(sections: Sequence[tuple[Section, str]], receivers: Mapping[str, Named]) -> None:
    """Note the fallbacks that are no receivers, and those that lead back to where they began.

    `sections` are the entries of `receivers:` with their names.
    """
    for found, name in sections:
        fallback = receivers[name].fallback
        if fallback is None:
            continue
        if fallback.receiver not in receivers:
            found.problem("fallback", f'undefined receiver "{fallback.receiver[:80]}"')
            continue
        way = [name]
        while fallback is not None and fallback.receiver in receivers:
            way.append(fallback.receiver)
            if fallback.receiver == name:
                said = " -> ".join(one[:80] for one in way[:10])
                found.problem("fallback", f"the fallbacks go in a circle: {said}")
                break
            if len(way) > len(receivers):
                # A circle further on, which is noted where it is.
                break
            fallback = receivers[fallback.receiver].fallback

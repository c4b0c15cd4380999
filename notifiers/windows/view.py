"""Windows for people: where each stands, and when it holds next."""

from collections.abc import Iterable
from dataclasses import dataclass

from notifiers.checkpoint import entries_under
from notifiers.windows.book import WindowBook, unpacked_window
from notifiers.windows.spans import Span
from notifiers.windows.window import Window, WindowState

NEXT = 5
"""How many spans are foretold."""


@dataclass(frozen=True, slots=True)
class WindowView:
    """One window, where it stands, and its next spans; the first may have begun."""

    window: Window
    state: WindowState
    spans: tuple[Span, ...]


def view_of(window: Window, now: int) -> WindowView:
    """How it stands at this instant."""
    return WindowView(window, window.state_at(now), window.next_spans(now, NEXT))


def shown(book: WindowBook, now: int) -> list[WindowView]:
    """Every window in memory, by id."""
    return [view_of(book.known[name], now) for name in sorted(book.known)]


def windows(state: Iterable[tuple[str, bytes]], now: int) -> list[WindowView]:
    """Every window of a checkpoint, by id; those that are over too, for 120 h."""
    found = map(unpacked_window, entries_under("window", state).values())
    return [view_of(one, now) for one in sorted(found, key=lambda one: one.id)]

"""Who takes which event, and who answers which book's alarms: one line a part of the router."""

from collections.abc import Callable
from typing import Any, Final

from notifiers import commands
from notifiers.incidents import commands as incidents
from notifiers.state import State
from schemas.commands import SilenceExpired, SilenceSet
from schemas.event import Event
from schemas.incidents import IncidentCommand

# Each handler takes its own kind of event, which the type of a dictionary cannot say.
HANDLERS: Final[dict[type[Event], Callable[[State, Any], None]]] = {
    SilenceSet: commands.set_silence,
    SilenceExpired: commands.expire_silence,
    IncidentCommand: incidents.take,
}

RINGS: Final[dict[str, Callable[[State, str], None]]] = {
    "incident": incidents.ring,
}
"""By a book's prefix. Whoever answers must move the alarm, or it rings for ever."""

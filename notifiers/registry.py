"""Who takes which event, and who answers which book's alarms: one line a part of the router."""

from collections.abc import Callable
from typing import Any, Final

from notifiers import commands
from notifiers.drills import asked, resend
from notifiers.fallback import rescue
from notifiers.heartbeats import pings, switch
from notifiers.incidents import commands as incidents
from notifiers.notices import telling
from notifiers.oncall import commands as oncall
from notifiers.state import State
from notifiers.storms import digest, flapping, parents
from notifiers.windows import commands as windows
from schemas.commands import SilenceExpired, SilenceSet
from schemas.deliveries import Receipt
from schemas.drills import DrillAsked, ResendAsked
from schemas.event import Event
from schemas.heartbeats import Ping
from schemas.incidents import IncidentCommand
from schemas.oncall import OverrideEnded, OverrideSet
from schemas.windows import WindowClosed, WindowEnded, WindowOpened, WindowSet

# Each handler takes its own kind of event, which the type of a dictionary cannot say.
HANDLERS: Final[dict[type[Event], Callable[[State, Any], None]]] = {
    SilenceSet: commands.set_silence,
    SilenceExpired: commands.expire_silence,
    IncidentCommand: incidents.take,
    OverrideSet: oncall.set_override,
    OverrideEnded: oncall.end_override,
    WindowSet: windows.set_window,
    WindowEnded: windows.end_window,
    WindowOpened: windows.open_window,
    WindowClosed: windows.close_window,
    Ping: pings.take,
    DrillAsked: asked.take,
    ResendAsked: resend.take,
}

RINGS: Final[dict[str, Callable[[State, str], None]]] = {
    "incident": incidents.ring,
    "override": oncall.ring,
    "notice": telling.ring,
    "limit": digest.ring,
    "parent": parents.ring,
    "flap": flapping.ring,
    "fallback": rescue.ring,
    "window": windows.ring,
    "reminder": windows.remind,
    "heartbeat": pings.ring,
    "switch": switch.ring,
    "drill": asked.ring,
    "resend": resend.ring,
}
"""By a book's prefix. Whoever answers must move the alarm, or it rings for ever."""

RECEIPTS: Final[tuple[Callable[[State, Receipt], bool], ...]] = (
    switch.take_receipt,
    resend.take_receipt,
    asked.take_receipt,
)
"""Of deliveries that no group decided: each says whether the receipt was of one of its own."""

FOLLOWS: Final[tuple[Callable[[State], None], ...]] = (pings.follow, switch.follow)
"""What else follows a new plan, once every alert is in its groups."""

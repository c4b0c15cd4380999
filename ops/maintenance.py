"""Silences and maintenance windows as operators make them: previewed, guarded, then commanded.

The API and the console both come through here, so both refuse the same.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from notifiers.config import read
from notifiers.problem import Problem
from notifiers.silences import Silence, SilenceState
from notifiers.windows.book import MOST
from notifiers.windows.commands import REMIND, REMIND_TO
from notifiers.windows.reach import Reach, reach
from notifiers.windows.reader import Wish, read_wish
from notifiers.windows.spans import Span
from notifiers.windows.view import NEXT, WindowView, view_of
from notifiers.windows.window import (
    LONGEST_DEPLOY,
    Window,
    WindowKind,
    WindowState,
    window_of,
)
from ops.commands import NotDone, give
from ops.services import AlertView, Services
from schemas.alerts import AlertState
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.labels import derived_id
from schemas.windows import WindowClosed, WindowEnded, WindowOpened, WindowSet

DEPLOY = 3_600_000
"""How long (ms) a deploy may take that does not say how long."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a window would hide of the alerts that are on now, and when it holds next."""

    window: Window
    hides: Sequence[AlertView]
    reach: Reach
    spans: Sequence[Span]


def wish_of(services: Services, text: str, name: str = "") -> Wish:
    """What somebody wrote, under this id or a new one. Raises `NotDone` with all problems."""
    mode = services.routing().mode
    wish, problems = read_wish(text, name or str(uuid.uuid4()), services.now(), mode)
    if wish is None:
        raise NotDone(400, "; ".join(map(_said, problems)))
    _check_reminded(services, wish.window.remind_to)
    return wish


def previewed(services: Services, wish: Wish) -> Preview:
    """What the window would do."""
    window = window_of(wish.window)
    live = [one for one in services.alerts() if one.state is not AlertState.RESOLVED]
    found = reach(window.sets, [one.labels for one in live])
    now = services.now()
    spans = tuple(islice(window.spans(now), NEXT))
    if window.kind is WindowKind.DEPLOY and window.wish.timeout is not None:
        # As if the deploy began now.
        spans = (Span(now, now + window.wish.timeout),)
    return Preview(window, [live[number] for number in found.hidden], found, spans)


def set_window(services: Services, wish: Wish) -> WindowView:
    """Put the window into force. Raises `NotDone`, also for one that hides too much."""
    _guard(services, wish)
    _check_room(services, wish.window.id)
    give(services, [wish.window])
    return window(services, wish.window.id)


def change_window(services: Services, text: str, name: str) -> WindowView:
    """Put another window in the place of this one. Raises `NotDone`."""
    if window(services, name).state is WindowState.EXPIRED:
        raise NotDone(409, "the window is over: make a new one")
    return set_window(services, wish_of(services, text, name))


def end_window(services: Services, name: str, by: str = "") -> WindowView:
    """End a window for good. Raises `NotDone`."""
    if window(services, name).state is not WindowState.EXPIRED:
        give(services, [WindowEnded(id=name, by=by)])
    return window(services, name)


def start(services: Services, name: str, by: str = "", timeout: int | None = None) -> WindowView:
    """A deploy begins; one that runs already goes on as it is. Raises `NotDone`."""
    _deploy(services, name)
    give(services, [WindowOpened(id=name, by=by, timeout=timeout)])
    return window(services, name)


def finish(services: Services, name: str, by: str = "") -> WindowView:
    """A deploy is through. Raises `NotDone`."""
    _deploy(services, name)
    give(services, [WindowClosed(id=name, by=by)])
    return window(services, name)


def start_deploy(
    services: Services, service: str, deploy: str, by: str, timeout: int | None, comment: str = ""
) -> WindowView:
    """A deploy of a service begins, for which nobody has made a window. Raises `NotDone`.

    Each deploy has its own window, so of two at once the service is hidden until the last is
    through. The same one once more changes nothing.
    """
    length = DEPLOY if timeout is None else timeout
    if not 0 < length <= LONGEST_DEPLOY:
        raise NotDone(400, "timeout: more than nothing and at most 24h is wanted")
    name, now = deploy_id(service, deploy), services.now()
    if any(one.window.id == name for one in services.windows()):
        _deploy(services, name)
        return window(services, name)
    _check_room(services, name)
    wish = WindowSet(
        id=name,
        sets=((SilenceMatcher(name="service", operator="=", value=service),),),
        owner=by or "deploy",
        comment=comment or f"deploy {deploy} of {service}",
        starts_at=now,
        ends_at=now + length,
        service=service,
        timeout=length,
    )
    give(services, [wish, WindowOpened(id=name, by=by)])
    return window(services, name)


def finish_deploy(services: Services, service: str, deploy: str, by: str) -> WindowView:
    """That deploy is through, and its window is over. Raises `NotDone`."""
    return end_window(services, deploy_id(service, deploy), by)


def deploy_id(service: str, deploy: str) -> str:
    """The id of the window of one deploy of a service."""
    return f"deploy-{derived_id('deploy', service, deploy)}"


def add_silence(services: Services, wish: Wish) -> str:
    """Make an ordinary silence; its id. Raises `NotDone`, also for one that hides too much."""
    given = wish.window
    if not wish.is_once or given.ends_at is None:
        raise NotDone(400, "a silence holds once: write for or until, or make a window")
    _guard(services, wish)
    remind = given.remind_before
    notes = {} if remind is None else {REMIND: str(remind)}
    if remind is not None and given.remind_to:
        notes[REMIND_TO] = given.remind_to
    event = SilenceSet(
        id=str(uuid.uuid4()),
        sets=given.sets,
        starts_at=max(given.starts_at, services.now()),
        ends_at=given.ends_at,
        created_by=given.owner,
        comment=given.comment,
        annotations=notes,
    )
    give(services, [event])
    return event.id


def expire_silence(services: Services, name: str, by: str = "") -> None:
    """End a silence now; one that is over stays as it is. Raises `NotDone`."""
    found = _silence(services, name)
    if found.state_at(services.now()) is not SilenceState.EXPIRED:
        give(services, [SilenceExpired(id=name, by=by)])


def window(services: Services, name: str) -> WindowView:
    """The window of this id. Raises `NotDone`."""
    for found in services.windows():
        if found.window.id == name:
            return view_of(found.window, services.now())
    raise NotDone(404, f"there is no window {name[:100]!r}")


def _check_reminded(services: Services, name: str) -> None:
    """Whether there is somebody of this name; a name that is not written is."""
    if not name:
        return
    routing = services.routing()
    config, _ = read(routing.text, "routes", bare=True, mode=routing.mode)
    if config is not None and name not in config.receivers and name not in config.users:
        known = ", ".join([*config.receivers, *config.users][:20])
        raise NotDone(400, f'remind_to: there is no receiver or user "{name[:60]}": {known}')


def _deploy(services: Services, name: str) -> None:
    found = window(services, name)
    if found.window.kind is not WindowKind.DEPLOY:
        raise NotDone(409, "only a window with a timeout is started and finished")
    if found.state is WindowState.EXPIRED:
        raise NotDone(409, "the window is over: make a new one, give a deploy another id")


def _guard(services: Services, wish: Wish) -> None:
    why = previewed(services, wish).reach.too_broad
    if why and not wish.force:
        raise NotDone(409, f"{why}: narrow the matchers, or insist with force")


def _check_room(services: Services, name: str) -> None:
    """Whether the router has room for one more window, or knows this one. Raises `NotDone`."""
    known = services.windows()
    live = sum(1 for one in known if one.state is not WindowState.EXPIRED)
    if live >= MOST and all(one.window.id != name for one in known):
        raise NotDone(409, f"there are {live:,} windows that are not over: end some of them first")


def _silence(services: Services, name: str) -> Silence:
    for found in services.silences():
        if found.silence.id == name:
            return found.silence
    raise NotDone(404, f"there is no silence {name[:100]!r}")


def _said(problem: Problem) -> str:
    where = f"{problem.key}: " if problem.key else ""
    hint = f": {problem.hint}" if problem.hint else ""
    return f"{where}{problem.message}{hint}"

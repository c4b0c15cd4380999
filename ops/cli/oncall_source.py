"""Where `tocsin oncall` reads schedules: the running server, which knows overrides, or the file."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from notifiers.config import Config, read
from notifiers.matcher_mode import Mode
from notifiers.oncall.calendar_file import with_calendars
from notifiers.oncall.schedule import Schedule
from ops.cli.client import Client, Unreachable, beside, client_of
from ops.cli.options import settings_of
from ops.cli.terminal import complain
from ops.settings import Settings
from schemas.errors import Refused

T = TypeVar("T")
PATH = "/api/tocsin/v1/oncall"


def found(
    arguments: argparse.Namespace, asked: Callable[[Client], T], read_in: Callable[[Config], T]
) -> T:
    """What the server answers, else what is in the routing file; standard error says which.

    `--routes` wants the file and `--url` the server. With neither it is the server of the data
    directory, and the configured file if none runs there. Raises Refused and Unreachable.
    """
    if arguments.url and arguments.routes:
        raise Refused("oncall: --url asks a server and --routes reads a file: write one of them")
    if arguments.routes:
        return _filed(Path(arguments.routes), Mode.FALLBACK, read_in)
    if arguments.url:
        return _answered(client_of(arguments), asked)
    settings = settings_of(arguments).settings
    try:
        return _answered(beside(settings.data, arguments), asked)
    except Unreachable as fault:
        return _instead(settings, fault, read_in)


def schedule_in(config: Config, name: str) -> Schedule:
    """The schedule of this name. Raises Refused."""
    if name not in config.schedules:
        known = ", ".join(config.schedules)
        raise Refused(f'oncall: the routing file has no schedule "{name}"; it has {known}')
    return config.schedules[name]


def _answered(client: Client, asked: Callable[[Client], T]) -> T:
    answer = asked(client)
    complain(f"source: the router behind {client.url}, with overrides made by command")
    return answer


def _instead(settings: Settings, fault: Unreachable, read_in: Callable[[Config], T]) -> T:
    if settings.routes is None:
        hint = "write --url URL, or --routes F"
        raise Refused(f"oncall: {fault}; and no routing file is configured: {hint}")
    complain(str(fault))
    return _filed(settings.routes, settings.matchers, read_in)


def _filed(file: Path, mode: Mode, read_in: Callable[[Config], T]) -> T:
    answer = read_in(_config(file, mode))
    complain(f"source: {file} alone, without overrides made by command")
    return answer


def _config(file: Path, mode: Mode) -> Config:
    try:
        text = with_calendars(file.read_text("utf-8"), file.parent)
    except (OSError, UnicodeDecodeError) as fault:
        raise Refused(f"{file}: cannot be read: {fault}") from fault
    config, problems = read(text, str(file), mode=mode)
    if config is None:
        for problem in problems[:-1]:
            complain(str(problem))
        raise Refused(str(problems[-1]))
    if not config.schedules:
        raise Refused(f"{file}: there are no schedules in it: see docs/on-call.md")
    return config

"""A routing file for the commands that read one, or everything that is wrong with it."""

from pathlib import Path

from notifiers.config import Config, read
from notifiers.oncall.calendar_file import with_calendars
from notifiers.redact import without_secrets
from schemas.errors import Refused


def text_at(file: str) -> str:
    """A file's text. Raises Refused."""
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "is not UTF-8"
        raise Refused(f"{file}: cannot be read: {why}") from fault


def config_at(file: str) -> Config:
    """The configuration in a file. Raises Refused with every problem."""
    config, problems = read(_whole(file), file)
    if config is None:
        raise Refused("\n".join(map(str, problems)))
    return config


def plan_at(file: str) -> str:
    """What the router is given of a file. Raises Refused with every problem."""
    config_at(file)
    return without_secrets(_whole(file))


def _whole(file: str) -> str:
    return with_calendars(text_at(file), Path(file).parent)

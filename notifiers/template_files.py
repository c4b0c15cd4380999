"""The files of `templates:`, and whether what they define is all that the receivers use."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from glob import glob
from pathlib import Path

from notifiers.config import Config
from notifiers.templating import Templates
from notifiers.templating.templates import parsed
from schemas.templates.blocks import Block

LARGEST = 1_048_576


def read_templates(globs: Iterable[str], directory: Path) -> Templates:
    """What the files define, over the defaults; relative to `directory`, later files win.

    As in Alertmanager, a pattern without a file is no error. Raises ValueError, naming the file.
    """
    definitions: dict[str, Block] = {}
    for pattern in globs:
        for name in sorted(glob(str(directory / pattern))):
            try:
                found = parsed(_text(Path(name)))
            except ValueError as fault:
                raise ValueError(f"{name}: {fault}") from fault
            definitions |= {Path(name).name: found.block, **found.definitions}
    return Templates(definitions)


def undefined(config: Config, templates: Templates) -> Iterator[str]:
    """Templates that a receiver uses and nobody defines: what is wrong, and where."""
    for receiver in config.receivers.values():
        for number, channel in enumerate(receiver.channels):
            for key, text in _templates(channel):
                try:
                    templates.check(text)
                except ValueError as fault:
                    yield f'receiver "{receiver.name}": {channel.kind.key}[{number}].{key}: {fault}'


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            text = stream.read(LARGEST + 1)
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "not UTF-8"
        raise ValueError(f"cannot be read: {why}") from fault
    if len(text) > LARGEST:
        raise ValueError(f"larger than {LARGEST} characters")
    return text


def _templates(found: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text below with something to fill in, by the keys that lead to it."""
    if isinstance(found, str):
        if "{{" in found:
            yield key, found
    elif isinstance(found, dict):
        for name, part in found.items():
            yield from _templates(part, f"{key}.{name}")
    elif isinstance(found, tuple | list):
        for part in found:
            yield from _templates(part, key)
    elif is_dataclass(found) and not isinstance(found, type):
        for one in fields(found):
            inner = f"{key}.{one.name}" if key else one.name
            yield from _templates(getattr(found, one.name), inner)

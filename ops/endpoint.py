"""Where a running `tocsin up` answers: a note in its data directory, for commands beside it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = "endpoint.json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`address` is HOST:PORT; `token_file` is absolute, or empty."""

    address: str
    token_file: str
    pid: int


def write(directory: Path, endpoint: Endpoint) -> None:
    """Leave the note; it appears whole or not at all."""
    draft = directory / f"{FILE}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(asdict(endpoint), stream)
    draft.replace(directory / FILE)


def read(directory: Path) -> Endpoint | None:
    """The note, if there is one that can be read."""
    try:
        found = json.loads((directory / FILE).read_text())
        return Endpoint(str(found["address"]), str(found["token_file"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove(directory: Path) -> None:
    """Take the note away; a process that is killed leaves it."""
    (directory / FILE).unlink(missing_ok=True)

"""Where a running process answers: a note in its data directory, for commands beside it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = "endpoint.json"
"""That of `tocsin up`."""


def worker_file(stage: str) -> str:
    """That of a worker's probes; of several over one directory, the one that started last."""
    return f"worker-{stage}.endpoint"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`address` is HOST:PORT and the path under which all is; `token_file` absolute, or empty."""

    address: str
    token_file: str
    pid: int


def write(directory: Path, endpoint: Endpoint, file: str = FILE) -> None:
    """Leave the note; it appears whole or not at all."""
    draft = directory / f"{file}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(asdict(endpoint), stream)
    draft.replace(directory / file)


def read(directory: Path, file: str = FILE) -> Endpoint | None:
    """The note, if there is one that can be read."""
    try:
        found = json.loads((directory / file).read_text())
        return Endpoint(str(found["address"]), str(found["token_file"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove(directory: Path, file: str = FILE) -> None:
    """Take the note away; a process that is killed leaves it."""
    (directory / file).unlink(missing_ok=True)

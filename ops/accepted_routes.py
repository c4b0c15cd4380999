"""The routing file as it was last accepted, secrets and all, kept for a start with a broken one."""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.plans import routes_text

FILE: Final = "routes.accepted.yml"
_MARK = "# accepted by Tocsin from "


@dataclass(frozen=True, slots=True, repr=False)
class Routes:
    """A routing file's text, and where it was read; `directory` is where its secret files are."""

    text: str
    file: Path

    @property
    def directory(self) -> Path:
        """The folder that names of secret files are relative to."""
        return self.file.parent


def current(file: Path | None, data: Path) -> Routes:
    """The routing file as it stands now. Raises OSError and UnicodeDecodeError."""
    return Routes(routes_text(file), (file or data / FILE).absolute())


def keep(routes: Routes, data: Path) -> None:
    """Keep it for the next start; the file appears whole or not at all. Raises OSError."""
    draft = data / f"{FILE}.new"
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="utf-8", newline="") as stream:
        stream.write(f"{_MARK}{json.dumps(str(routes.file))}\n{routes.text}")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(data / FILE)


def kept(data: Path) -> Routes | None:
    """What was accepted last; None if nothing was yet, or if it cannot be read."""
    try:
        first, _, text = (data / FILE).read_text("utf-8").partition("\n")
        return Routes(text, Path(json.loads(first.removeprefix(_MARK))))
    except (OSError, ValueError, TypeError):
        return None

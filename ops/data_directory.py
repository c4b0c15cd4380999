"""The data directory: one owner at a time, and a version that tells who may open it."""

import fcntl
import os
from pathlib import Path
from typing import Final

from schemas.errors import DataDirectoryError

VERSION: Final = 1
_VERSION_FILE = "VERSION"
_LOCK_FILE = "lock"


class DataDirectory:
    """An opened data directory; nobody else has it until `close`, or until this process ends."""

    def __init__(self, path: Path) -> None:
        """Create or open it.

        Raises `DataDirectoryError` when it is in use, is of a newer version, or holds something
        else.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(path / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise DataDirectoryError(f"{path}: cannot be opened: {fault.strerror}") from fault
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            owner = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip()
            os.close(self._lock)
            raise DataDirectoryError(
                f"{path}: in use by process {owner or 'unknown'}: stop it, or choose another "
                "directory with --data"
            ) from fault
        try:
            self._check_version()
        except DataDirectoryError:
            self.close()
            raise
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def close(self) -> None:
        """Let somebody else open it."""
        os.close(self._lock)

    def _check_version(self) -> None:
        marker = self.path / _VERSION_FILE
        try:
            found = marker.read_text("ascii").strip()
        except FileNotFoundError:
            self._found_empty()
            marker.write_text(f"{VERSION}\n", "ascii")
            return
        except (OSError, UnicodeDecodeError) as fault:
            raise DataDirectoryError(f"{marker}: cannot be read: {fault}") from fault
        if not found.isdigit():
            raise DataDirectoryError(
                f"{marker}: holds {found[:40]!r}, not a version: restore the file, or choose "
                "another directory with --data"
            )
        if int(found) > VERSION:
            raise DataDirectoryError(
                f"{self.path}: written by a newer Tocsin (directory version {found}, this one "
                f"reads up to {VERSION}): upgrade Tocsin, or choose another directory with --data"
            )

    def _found_empty(self) -> None:
        strangers = sorted(p.name for p in self.path.iterdir() if p.name != _LOCK_FILE)
        if strangers:
            raise DataDirectoryError(
                f"{self.path}: holds {strangers[0]!r} but no {_VERSION_FILE}, so it is not a "
                "Tocsin data directory: choose an empty one with --data"
            )

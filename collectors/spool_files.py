"""The files of a spool: opening, writing and unlinking them; every failure is an OSError."""

import fcntl
import os
from pathlib import Path

from collectors.segments import CURSOR_SLOT, cursor_bytes, parse_cursor
from schemas.errors import DataDirectoryError


class SpoolFiles:
    """A directory with segments, a cursor, and a lock that keeps a second agent out."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock: int | None = None
        self._cursor: int | None = None
        self._slot = 0
        self._newest: int | None = None

    def claim(self) -> None:
        """Make the directory ours.

        Raises `DataDirectoryError` when it is another's.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        if self._lock is None:
            self._lock = os.open(self._directory / "lock", flags, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            os.close(self._lock)
            self._lock = None
            raise DataDirectoryError(
                f"{self._directory}: the spool is in use by another agent; give each its own"
            ) from fault
        if self._cursor is None:
            self._cursor = os.open(self._directory / "cursor", flags, 0o600)

    def close(self) -> None:
        """Let another process have the directory."""
        self.shut()
        for fd in (self._cursor, self._lock):
            if fd is not None:
                os.close(fd)
        self._cursor = self._lock = None

    def segments(self) -> dict[int, int]:
        """First record's number to bytes, in order."""
        paths = sorted(self._directory.glob("*.spool"))
        return {int(path.stem): path.stat().st_size for path in paths if path.stem.isdecimal()}

    def read(self, first: int, start: int = 0) -> bytes:
        """A segment from byte `start` on."""
        with self._path(first).open("rb") as file:
            file.seek(start)
            return file.read()

    @property
    def writing(self) -> bool:
        """Whether a segment is open for more."""
        return self._newest is not None

    def begin(self, first: int) -> None:
        """Open a new segment for writing."""
        self.shut()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._newest = os.open(self._path(first), flags, 0o600)
        # Without this the file's name may not outlive a power cut.
        directory = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def write(self, content: bytes) -> None:
        """Add to the open segment; on the disk when this returns."""
        assert self._newest is not None
        view = memoryview(content)
        while view:
            view = view[os.write(self._newest, view) :]
        os.fsync(self._newest)

    def cut(self, size: int) -> None:
        """Take back what a failed write left in the open segment."""
        if self._newest is not None:
            os.ftruncate(self._newest, size)

    def shut(self) -> None:
        """Add no more to the open segment."""
        if self._newest is not None:
            os.close(self._newest)
            self._newest = None

    def remove(self, first: int) -> None:
        """Delete a segment."""
        self._path(first).unlink(missing_ok=True)

    def load_cursor(self) -> int | None:
        """Up to which number was acknowledged; None when that is unknown."""
        assert self._cursor is not None
        return parse_cursor(os.pread(self._cursor, CURSOR_SLOT * 2, 0))

    def save_cursor(self, number: int) -> None:
        """Write the slots in turn, so that a torn write leaves the one before."""
        assert self._cursor is not None
        self._slot = 1 - self._slot
        os.pwrite(self._cursor, cursor_bytes(number), self._slot * CURSOR_SLOT)

    def _path(self, first: int) -> Path:
        return self._directory / f"{first:020d}.spool"

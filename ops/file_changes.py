"""Whether files have changed, and are not being written any more."""

from collections.abc import Iterable
from pathlib import Path

Stamps = dict[str, tuple[int, int]]
"""Time of change and size by file."""


class Changes:
    """Tells when files have changed and are not being written any more, look by look."""

    def __init__(self, stamps: Stamps) -> None:
        self._read = self._looked = stamps

    def settled(self, stamps: Stamps) -> bool:
        """Whether they differ from those read last, and not from those of the last look."""
        still, self._looked = stamps == self._looked, stamps
        return still and stamps != self._read

    def read(self, stamps: Stamps) -> None:
        """They are read now, whatever they hold."""
        self._read = stamps


def stamps_of(files: Iterable[Path]) -> Stamps:
    """The files that are there, as they are now."""
    stamps: Stamps = {}
    for file in files:
        try:
            found = file.stat()
        except OSError:
            continue
        stamps[str(file)] = (found.st_mtime_ns, found.st_size)
    return stamps

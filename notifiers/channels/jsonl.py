"""A file of JSON lines: one message, one line, on disk before it counts as delivered."""

import json
import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.payload import payload

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class JsonLines:
    """Appends messages to a file; a reader recognises a repeated one by its `id`."""

    def __init__(self, folder: Path, path: str) -> None:
        """`path` is relative to `folder`, which is made if its parent is there."""
        self._folder = folder
        *self._below, self._name = path.split("/")
        self._lock = Lock()

    def send(self, message: Message) -> None:
        """Append one line and sync it to disk."""
        delivery = message.delivery
        line = {"id": delivery.id, "attempt": delivery.attempt, "why": delivery.why}
        # ASCII only: U+2028 and its like end a line for some readers.
        text = json.dumps(line | payload(delivery), ensure_ascii=True, allow_nan=False)
        try:
            with self._lock:
                self._append(text.encode("ascii") + b"\n")
        except OSError as fault:
            detail = os.strerror(fault.errno) if fault.errno else "not writable"
            raise DeliveryFailed(Failure.NOT_WRITTEN, retry=True, detail=detail) from fault

    def _append(self, line: bytes) -> None:
        file = self._open()
        try:
            size = os.lseek(file, 0, os.SEEK_END)
            if size and os.pread(file, 1, size - 1) != b"\n":
                # A write was cut short once; what follows must not become a part of it.
                line = b"\n" + line
            left = memoryview(line)
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        finally:
            os.close(file)

    def _open(self) -> int:
        """The file; no symbolic link on the way from the folder leads out of it."""
        with suppress(FileExistsError):
            self._folder.mkdir(0o700)
        at = os.open(self._folder, _FOLDER)
        try:
            for name in self._below:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=at)
                below = os.open(name, _FOLDER, dir_fd=at)
                os.close(at)
                at = below
            return os.open(self._name, _FILE, 0o600, dir_fd=at)
        finally:
            os.close(at)

    def close(self) -> None:
        """There is nothing to let go of: the file is open only while a line is written."""

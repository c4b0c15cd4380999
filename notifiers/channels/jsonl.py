"""A file of JSON lines: one message, one line, on disk before it counts as delivered."""

import json
import os
from pathlib import Path
from threading import Lock

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.payload import payload


class JsonLines:
    """Appends messages to a file; a reader recognises a repeated one by its `id`."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self._path, flags, 0o600)
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

    def close(self) -> None:
        """There is nothing to let go of: the file is open only while a line is written."""

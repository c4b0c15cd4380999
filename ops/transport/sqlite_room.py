"""How much of the log's file and of its disk is left for inputs."""

import os
import sqlite3

_PAGES = 4
"""Pages that a row may take besides its bytes: its last one, and where the tree above it splits."""


class Room:
    """Keeps the reserve for decisions; `file` and `reserve` are those of `sqlite_writer.Limits`."""

    def __init__(self, database: sqlite3.Connection, file: int, reserve: int) -> None:
        self._database = database
        self._inputs, self._reserve = file - reserve, reserve
        self._directory = os.path.dirname(database.execute("PRAGMA database_list").fetchone()[2])
        self._page = int(database.execute("PRAGMA page_size").fetchone()[0])
        database.execute(f"PRAGMA max_page_count = {max(file // self._page, 64)}")
        self._left = 0
        """Bytes, at least, that inputs may take before the file is asked again."""

    def used(self) -> int:
        """Bytes of the file that hold something."""
        pages = self._database.execute("PRAGMA page_count").fetchone()[0]
        free = self._database.execute("PRAGMA freelist_count").fetchone()[0]
        return int(pages - free) * self._page

    def admits(self, size: int) -> bool:
        """Whether inputs of this size leave the reserve alone, in the file and on the disk."""
        if size > self._left:
            self._left = self._inputs - self.used()
        if size > self._left:
            return False
        try:
            disk = os.statvfs(self._directory)
        except OSError:
            return True  # SQLite will say what is wrong, if something is
        return disk.f_bavail * disk.f_frsize - size >= self._reserve

    def took(self, size: int, rows: int) -> None:
        """So much was committed. The most it may have taken counts: to ask each time costs more."""
        self._left -= size + (rows + 1) * _PAGES * self._page

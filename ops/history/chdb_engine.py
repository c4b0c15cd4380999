"""The one place that loads chdb: statements in, bytes out, one connection for each.

A fresh connection costs 0.12 ms and carries nothing of the statement before it: no settings, no
database, and none of a failed query's rows (which chdb hands to the next query on the *same*
connection). Connections run beside one another, so reads go on while an insert runs.
"""

import contextlib
import importlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any  # chdb has no types

from ops.history import chdb_faults as faults
from ops.history import chdb_guard as guard
from ops.history import sqltext

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")

DEFAULTS = {
    "implicit_select": "0",  # chdb reads `foo` as `SELECT foo`; a server does not
    "async_insert": "0",  # an answer means stored
    "max_memory_usage": str(1 << 30),
}
"""For every statement; the caller's own settings override them."""

PEOPLE = {
    "max_execution_time": "60",
    "max_memory_usage": str(512 << 20),
    "max_result_bytes": str(256 << 20),
    "max_result_rows": "10000000",
    "max_ast_depth": "500",
}
"""For the read-only user: set before readonly, so that no statement can lift them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One request as the engine needs it."""

    sql: bytes
    data: bytes | None = None
    form: str = "TabSeparated"
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    readonly: int = 0
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine gave back."""

    body: bytes
    form: str
    summary: str


@contextlib.contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path under which the engine reads these bytes: in memory where the system can."""
    with contextlib.ExitStack() as stack:
        file: IO[bytes]
        if hasattr(os, "memfd_create"):
            held = os.memfd_create("insert", os.MFD_CLOEXEC)
            file = stack.enter_context(os.fdopen(held, "wb"))
            path = f"/proc/self/fd/{held}"
        else:
            file = stack.enter_context(tempfile.NamedTemporaryFile())
            path = file.name
        file.write(data)
        file.flush()
        yield path


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _settings_sql(settings: Mapping[str, str]) -> str:
    for name in settings:
        if not _IDENTIFIER.fullmatch(name):
            raise faults.named(
                faults.UNKNOWN_SETTING, "UNKNOWN_SETTING", f"Setting {name} is neither a builtin"
            )
    return "SET " + ", ".join(f"{name} = {_quoted(text)}" for name, text in settings.items())


def _summary(result: Any, **more: int) -> str:
    counts = {
        "read_rows": result.rows_read() if hasattr(result, "rows_read") else 0,
        "read_bytes": result.bytes_read() if hasattr(result, "bytes_read") else 0,
        "elapsed_ns": int(result.elapsed() * 1e9),
        **more,
    }
    return json.dumps({name: str(count) for name, count in counts.items()})


class Engine:
    """ClickHouse's engine over one directory, safe for any number of threads."""

    def __init__(self, path: str) -> None:
        chdb: Any = importlib.import_module("chdb._chdb")
        self._connect = chdb.connect
        self._path = path
        self._root = self._connect(path)  # the engine lives as long as its first connection
        row = self._root.query("SELECT version(), timezone()", "TSV").bytes().decode().split()
        self.version, self.timezone = row
        listed = self._root.query("SELECT name FROM system.table_functions", "TSV").bytes()
        self._forbidden = guard.forbidden(listed.decode().split())

    def run(self, statement: Statement) -> Answer:
        """Run one statement, or raise EngineFault."""
        insert = sqltext.split_insert(statement.sql)
        if insert is not None and statement.readonly:
            raise guard.readonly()
        with self._connection(statement) as connection:
            if insert is None:
                return self._query(connection, statement)
            data = statement.sql[insert.data_at :] + (statement.data or b"")
            return self._insert(connection, insert, data, statement.form)

    def close(self) -> None:
        self._root.close()

    @contextlib.contextmanager
    def _connection(self, statement: Statement) -> Iterator[Any]:
        connection = self._connect(self._path)
        try:
            if statement.limited:
                people = DEFAULTS | PEOPLE | {"readonly": "1"}
                connection.query(_settings_sql(people), "Null")
            settings = {} if statement.limited else dict(DEFAULTS)
            settings |= statement.settings
            if statement.readonly and not statement.limited:
                settings["readonly"] = str(statement.readonly)
            if settings:
                connection.query(_settings_sql(settings), "Null")
            if statement.database:
                name = statement.database.replace("\\", "\\\\").replace("`", "\\`")
                connection.query(f"USE `{name}`", "Null")
            yield connection
        except RuntimeError as error:
            raise faults.translated(error) from error
        finally:
            connection.close()

    def _insert(self, connection: Any, insert: sqltext.Insert, data: bytes, form: str) -> Answer:
        head, form_of = insert.head, f"{insert.settings} FORMAT {insert.form}"
        guard.single(connection.classify_query(f"{head} {form_of}"), connection, "")
        if sqltext.writes_a_file(head.encode()):
            raise guard.no_files()
        # Not chdb's own streaming insert: it says "done" where storing failed (a full disk, a
        # constraint, too many parts) and the rows are gone.
        with _as_file(data) as path:
            result = connection.query(
                f"{head} FROM INFILE {_quoted(path)} COMPRESSION 'none' {form_of}", "Null"
            )
        rows = result.rows_written()
        summary = _summary(result, written_rows=rows, written_bytes=result.bytes_written())
        return Answer(b"", form, summary)

    def _query(self, connection: Any, statement: Statement) -> Answer:
        sql = (statement.sql + (statement.data or b"")).decode("utf-8", "surrogateescape")
        verdict = connection.classify_query(sql)
        guard.single(verdict, connection, sql)
        if sqltext.writes_a_file(statement.sql):
            raise guard.no_files()
        if statement.readonly:
            guard.reading(verdict, connection, statement.sql, statement.params, self._forbidden)
        result = connection.query(sql, statement.form, params=dict(statement.params))
        named = sqltext.output_format(statement.sql)
        form = named[0] if named else statement.form
        return Answer(result.bytes(), form, _summary(result))

"""Brings the stored schema to this version: numbered SQL files, forward only."""

import re
from dataclasses import dataclass
from importlib.resources import files
from string import Template

from ops.history.clickhouse import History
from ops.history.errors import HistoryNewer

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_TTL_DAYS = re.compile(r"TTL .*?toIntervalDay\((\d+)\)")
_JOURNAL = """
CREATE TABLE IF NOT EXISTS schema_migrations
(version UInt32, name String, applied DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = ReplacingMergeTree ORDER BY version
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step; its statements may be repeated, since a crash can come between them."""

    version: int
    name: str
    sql: str

    def statements(self, days: int) -> tuple[str, ...]:
        """The statements, with the retention filled in."""
        plain = re.sub(r"^--.*$", "", self.sql, flags=re.MULTILINE)
        parts = Template(plain).substitute(days=days).split(";\n")
        return tuple(part.strip() for part in parts if part.strip())


def known() -> tuple[Migration, ...]:
    """The migrations that this version carries, in order."""
    found = []
    for file in (files("ops.history") / "ddl").iterdir():
        if match := _NAME.fullmatch(file.name):
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda migration: migration.version))


def migrate(
    history: History, days: int = 30, migrations: tuple[Migration, ...] | None = None
) -> tuple[int, ...]:
    """Apply what is missing and set the retention; the versions applied now."""
    steps = known() if migrations is None else migrations
    history.command(_JOURNAL)
    applied = {int(row[0]) for row in history.rows("SELECT version FROM schema_migrations FINAL")}
    latest = max(step.version for step in steps)
    if newer := [version for version in applied if version > latest]:
        raise HistoryNewer(
            f"history has schema {max(newer)}, this version knows {latest}: install the version"
            " that wrote it, or give another data directory"
        )
    done = []
    for step in steps:
        if step.version not in applied:
            for statement in step.statements(days):
                history.command(statement)
            history.command(
                "INSERT INTO schema_migrations (version, name)"
                " SELECT {version:UInt32}, {name:String}",
                {"version": step.version, "name": step.name},
            )
            done.append(step.version)
    _keep(history, days)
    return tuple(done)


def _keep(history: History, days: int) -> None:
    """Change the retention of the tables that have another one."""
    for name, engine in history.rows(
        "SELECT name, engine_full FROM system.tables"
        " WHERE database = currentDatabase() AND engine_full LIKE '%MergeTree%TTL%'"
    ):
        found = _TTL_DAYS.search(engine)
        if found and int(found[1]) != days:
            ttl = found[0].replace(f"toIntervalDay({found[1]})", f"toIntervalDay({int(days)})")
            history.command(f"ALTER TABLE {name} MODIFY {ttl}")

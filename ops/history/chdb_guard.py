"""What may run: one statement a request, and for readers nothing that leaves the tables.

`readonly=1` stops writes, SETTINGS and most table functions, but chdb is built as a local tool:
under it `SELECT file('/etc/passwd')`, `DESCRIBE url(…)`, `INTO OUTFILE` and KILL still work. So a
reader's statement is parsed by the engine itself (EXPLAIN AST) and refused by what is in the tree.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any  # chdb has no types

from ops.history import chdb_faults as faults
from ops.history import sqltext

_SAFE_TABLE_FUNCTIONS = frozenset(
    {
        "numbers",
        "numbers_mt",
        "zeros",
        "zeros_mt",
        "generateseries",
        "generate_series",
        "generaterandom",
        "primes",
        "format",
        "values",
        "sqlstandardvalues",
        "null",
        "view",
        "viewexplain",
        "merge",
        "input",
    }
)
_FORBIDDEN_FUNCTIONS = frozenset(
    {
        "file",
        "catboostevaluate",
        "aigenerate",
        "aiextract",
        "aiclassify",
        "aitranslate",
        "aiembed",
        "airedact",
        "aifilter",
        "aisimilarity",
        "sleep",
        "sleepeachrow",
    }
)
_FORBIDDEN_NAMES = _FORBIDDEN_FUNCTIONS - {"sleep"}
"""A function can be passed by its bare name: arrayMap(file, …), APPLY file."""
_FUNCTION = re.compile(r"\bFunction (\w+)")
_IDENTIFIER = re.compile(r"\bIdentifier (\w+)")


def forbidden(table_functions: Iterable[str]) -> frozenset[str]:
    """The functions a reader may not call, of all table functions that the engine has."""
    outward = {name.lower() for name in table_functions} - _SAFE_TABLE_FUNCTIONS
    return frozenset(outward) | _FORBIDDEN_FUNCTIONS


def single(verdict: Mapping[str, Any], connection: Any, sql: str) -> None:
    """Refuse several statements at once, as a ClickHouse server does."""
    count = verdict["statement_count"]
    if count == 0 and sql:
        _explain_syntax(connection, sql)
    if count > 1:
        raise faults.named(
            faults.SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)"
        )


def _explain_syntax(connection: Any, sql: str) -> None:
    """Let the engine say what does not parse, without running what does."""
    escaped = sql.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    connection.query("SELECT formatQuery({q:String})", "Null", params={"q": escaped})


def reading(
    verdict: Mapping[str, Any],
    connection: Any,
    sql: bytes,
    params: Mapping[str, str],
    forbidden: frozenset[str],
) -> None:
    """Refuse what a reader may not do although `readonly` would let it pass."""
    kind = verdict["query_class"].name
    if kind == "MUTATING":
        raise readonly()
    if kind != "READ_ONLY":
        raise _denied(f"a {kind} statement")
    tree = _tree(connection, sql, params)
    called = {name.lower() for name in _FUNCTION.findall(tree)}
    named = {name.lower() for name in _IDENTIFIER.findall(tree)}
    if b"identifier" in sql.lower():
        named |= {text.lower() for text in params.values()}
    # APPLY hides its function's name from the tree, and escapes hide it from the text.
    if "ColumnsApplyTransformer" in tree:
        named |= sqltext.bare_names(sql) | ({"file"} if b"\\" in sql else set())
    for name in sorted((called & forbidden) | (named & _FORBIDDEN_NAMES)):
        raise _denied(name)


def readonly() -> faults.EngineFault:
    """The engine's own words for a write by a reader."""
    return faults.named(164, "READONLY", "default: Cannot execute query in readonly mode.")


def no_files() -> faults.EngineFault:
    """For a statement that names a file of the machine's."""
    return faults.named(faults.ACCESS_DENIED, "ACCESS_DENIED", "No files are read or written here")


def _tree(connection: Any, sql: bytes, params: Mapping[str, str]) -> str:
    """The engine's own parse of the statement; a tree that cannot be read is a refusal."""
    named = sqltext.output_format(sql)
    text = sql[: named[1] if named else None].decode("utf-8", "surrogateescape")
    shown = connection.query("EXPLAIN AST " + text, "TSVRaw", params=dict(params)).bytes()
    # A FORMAT that our lexer missed would hide the tree: in nothing (Null) or in packed bytes.
    if not shown or any(byte < 32 and byte not in b"\n\t" for byte in shown):
        raise _denied("a statement whose tree cannot be read")
    return str(shown.decode("utf-8", "replace"))


def _denied(what: str) -> faults.EngineFault:
    return faults.named(
        faults.ACCESS_DENIED, "ACCESS_DENIED", f"Not enough privileges: {what} is not for readers"
    )

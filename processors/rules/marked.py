"""YAML with line numbers: a document as plain data, and the line where each key's value begins.

Hostile files end quickly: text, scalars, depth, and what aliases repeat are all bounded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]

LONGEST_TEXT = 32_000_000
LONGEST_SCALAR = 1_000_000
DEEPEST = 64
MOST_REPEATED = 100_000
"""Values that all aliases together stand for."""

# libyaml reads ten times as fast as the parser in Python, which is there when libyaml is not.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Unreadable(ValueError):
    """YAML that cannot be taken as it is; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """Mappings, lists and strings; scalars stay the text that was written."""

    content: Any
    lines: dict[Path, int] = field(default_factory=dict)
    columns: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of a key, or of the nearest thing around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def column(self, path: Path) -> int:
        """The column where the value of a key begins, from 1."""
        return self.columns.get(path, 1)


def read(text: str) -> Document:
    """Reads one document; aliases and merge keys are resolved, repeated keys refused."""
    if len(text) > LONGEST_TEXT:
        raise Unreadable(1, f"the file has {len(text)} characters: more than {LONGEST_TEXT}")
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        line = text.count("\n", 0, fault.start) + 1
        raise Unreadable(line, f"{text[fault.start]!r} is no character") from fault
    reading = _Reading(text)
    try:
        return reading.document()
    except yaml.MarkedYAMLError as fault:
        # At the end of the text libyaml's mark is one line behind it.
        line = min(_line(fault.problem_mark or fault.context_mark), len(text.splitlines()) or 1)
        raise Unreadable(line, _reason(fault, text, line)) from fault
    except yaml.reader.ReaderError as fault:
        line = text.encode(errors="replace")[: fault.position].count(b"\n") + 1
        raise Unreadable(line, f"special characters are not allowed: {fault.reason}") from fault
    except yaml.YAMLError as fault:
        raise Unreadable(1, str(fault)) from fault


def _reason(fault: yaml.MarkedYAMLError, text: str, line: int) -> str:
    reason = fault.problem or str(fault)
    lines = text.splitlines()[line - 1 : line]
    if lines and lines[0].lstrip(" ").startswith("\t"):
        return f"{reason}: a tab; YAML is indented by spaces"
    return reason


# PyYAML has two kinds of marks, its own and libyaml's, and says that each may be missing.
def _line(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1


class _Reading:
    """One pass over the events of one document."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.lines: dict[Path, int] = {}
        self.columns: dict[Path, int] = {}
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = self.repeated = 0

    def document(self) -> Document:
        """The first document, which must be the only one."""
        content: Any = {}
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Unreadable(
                        _line(event.start_mark),
                        "expected a single document in the stream, but found another document",
                    )
                content = self.value(next(self.events), ())
                if not self.lines:
                    self.lines[()] = 1
        return Document(content, self.lines, self.columns)

    def value(self, event: Any, path: Path) -> Any:
        """The value that begins with an event."""
        if isinstance(event, yaml.AliasEvent):
            self.lines.setdefault(path, _line(event.start_mark))
            return self.alias(event)
        self.nodes += 1
        before = self.nodes
        self.lines.setdefault(path, _line(event.start_mark))
        self.columns[path] = int(event.start_mark.column) + 1
        if len(path) > DEEPEST:
            raise Unreadable(_line(event.start_mark), f"nested more than {DEEPEST} deep")
        if isinstance(event, yaml.ScalarEvent):
            found: Any = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            found = self.sequence(path)
        else:
            found = self.mapping(path)
        if event.anchor is not None:
            self.anchors[event.anchor] = found, self.nodes - before + 1
        return found

    def alias(self, event: Any) -> Any:
        """What an alias stands for: shared, and counted as if it were written out."""
        line = _line(event.start_mark)
        known = self.anchors.get(event.anchor)
        if known is None:
            raise Unreadable(line, f"alias *{event.anchor} stands for nothing that is complete")
        content, size = known
        self.nodes += size
        self.repeated += size
        if self.repeated > MOST_REPEATED:
            raise Unreadable(line, f"aliases repeat more than {MOST_REPEATED} values")
        return content

    def scalar(self, event: Any) -> str:
        written: str = event.value
        if len(written) > LONGEST_SCALAR:
            raise Unreadable(
                _line(event.start_mark),
                f"a text of {len(written)} characters: more than {LONGEST_SCALAR}",
            )
        plain = event.tag is None and event.implicit[0]
        none = written in _NULLS and (plain or event.tag == "tag:yaml.org,2002:null")
        return "" if none else written

    def sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.value(event, (*path, len(found))))
        return found

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = _line(event.start_mark)
            key = self.key(event, line)
            merges = key == "<<" and getattr(event, "implicit", (False,))[0]
            if key in found:
                raise Unreadable(line, f"key {key!r} is given twice")
            place = (*path, key)
            self.lines[place] = line
            value = self.value(next(self.events), place)
            if merges:
                for each in reversed(value if isinstance(value, list) else [value]):
                    merged.update(self.merge(each, line))
            else:
                found[key] = value
        return {**merged, **found} if merged else found

    def key(self, event: Any, line: int) -> str:
        if isinstance(event, yaml.AliasEvent):
            content = self.alias(event)
            if isinstance(content, str):
                return content
        elif isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None:
                self.anchors[event.anchor] = event.value, 1
            written: str = event.value
            return written
        raise Unreadable(line, "a key must be plain text")

    def merge(self, value: Any, line: int) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        raise Unreadable(line, "<< must be given mappings")

"""YAML as data alone, with the line of everything in it.

Plain scalars stay the text they are, and the type of the key they are written under reads them:
so `12:30` is no number of seconds, `no` is Norway under a label and false under a switch, and
`010` keeps its zero where text is wanted. Only `null`, `~` and nothing at all mean "not set".
"""

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from ops.config_problems import Origin, Path, Problem, key_text

MAX_BYTES = 1_048_576
MAX_NODES = 50_000
"""Counted after aliases are expanded, so a file of a kilobyte cannot become gigabytes."""
MAX_DEPTH = 64

# Not yaml.CSafeLoader, which ends the whole process by a stack overflow on 100,000 brackets.
_Loader = yaml.SafeLoader
_NULLS = {"", "~", "null", "Null", "NULL"}
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null")} | {
    f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "merge", "value")
}


@dataclass(slots=True)
class Document:
    """What a file says, where each part of it stands, and what could not be read."""

    content: dict[str, Any]
    origins: dict[Path, Origin]
    problems: list[Problem]


def read_yaml(file: FilePath) -> Document:
    """Read one file; whatever is wrong with it is a problem of the document."""
    here = Origin(str(file))
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as fault:
        message = f"cannot be read: {(fault.strerror or str(fault)).lower()}"
        return Document({}, {}, [Problem(here, "", message, "check the path and its permissions")])
    if len(raw) > MAX_BYTES:
        problem = Problem(here, "", "is larger than 1 MiB", "is it the right file?")
        return Document({}, {}, [problem])
    try:
        text = raw.decode("utf-8-sig")
        documents = list(yaml.compose_all(text, Loader=_Loader))
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        return Document(
            {}, {}, [Problem(Origin(str(file), line), "", "is not UTF-8", "save it so")]
        )
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        where = Origin(str(file), mark.line + 1 if mark else None)
        said = ": ".join(part for part in (fault.context, fault.problem) if part)
        return Document({}, {}, [Problem(where, "", f"is not YAML: {said}", _yaml_hint(said))])
    except (yaml.YAMLError, RecursionError) as fault:
        said = " ".join(str(fault).split())[:200] or "nested too deeply"
        return Document({}, {}, [Problem(here, "", f"is not YAML: {said}", "")])
    if len(documents) > 1:
        line = documents[1].start_mark.line + 1
        hint = "keep one, without ---"
        return Document({}, {}, [Problem(Origin(str(file), line), "", "has two documents", hint)])
    return _build(str(file), documents[0] if documents else None)


def _yaml_hint(said: str) -> str:
    if "\\t" in said or "tab" in said:
        return "indent with spaces"
    return "check the indentation and quotes on this line and the one above"


def _build(file: str, root: yaml.Node | None) -> Document:
    builder = _Builder(file)
    builder.origins[()] = Origin(file, None)
    if root is None or _is_null(root):
        return Document({}, builder.origins, [])
    if not isinstance(root, yaml.MappingNode):
        builder.report(root, (), "must be keys and values", 'write for example "listen: …"')
        return Document({}, builder.origins, builder.problems)
    try:
        content = builder.build(root, ())
    except _TooMuch as fault:
        problem = Problem(Origin(file, fault.line), "", str(fault), "write it without aliases (*)")
        return Document({}, builder.origins, [problem])
    return Document(content, builder.origins, builder.problems)


class _TooMuch(Exception):
    """A document that expands beyond the limits."""

    def __init__(self, message: str, node: yaml.Node) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


@dataclass(slots=True)
class _Builder:
    file: str
    origins: dict[Path, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def report(self, node: yaml.Node, path: Path, message: str, hint: str) -> None:
        origin = Origin(self.file, node.start_mark.line + 1)
        self.problems.append(Problem(origin, key_text(path), message, hint))

    def build(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _TooMuch(f"has more than {MAX_NODES} values", node)
        if len(path) > MAX_DEPTH:
            raise _TooMuch("is nested too deeply", node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        if node.tag not in _TAGS:
            self.report(node, path, f"has the tag {node.tag[:60]}", "write plain values")
            return None
        return None if _is_null(node) else node.value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.report(key_node, path, "has a key that is not text", "write KEY: VALUE")
                continue
            key = key_node.value
            here = (*path, key)
            if key in content:
                first = self.origins[here].line
                self.report(key_node, here, "is there twice", f"the first is on line {first}")
                continue
            self.origins[here] = Origin(self.file, key_node.start_mark.line + 1)
            content[key] = self.build(value_node, here)
        return content

    def _sequence(self, node: yaml.SequenceNode, path: Path) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            self.origins[(*path, index)] = Origin(self.file, item.start_mark.line + 1)
            items.append(self.build(item, (*path, index)))
        return items


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULLS

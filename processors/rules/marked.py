"""YAML with line numbers: a document as plain data, and the line where each key's value begins."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]


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

    def line(self, path: Path) -> int:
        """The line of a key, or of the nearest thing around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str) -> Document:
    """Reads one document; aliases and repeated keys are refused."""
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise Unreadable(_line(event.start_mark), f"alias *{event.anchor} is not supported")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        raise Unreadable(_line(fault.problem_mark), fault.problem or str(fault)) from fault
    except yaml.YAMLError as fault:
        raise Unreadable(1, str(fault)) from fault
    lines: dict[Path, int] = {}
    return Document({} if node is None else _plain(node, (), lines), lines)


# PyYAML has two kinds of marks, its own and libyaml's, and says that each may be missing.
def _line(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, _line(node.start_mark))
    if isinstance(node, yaml.ScalarNode):
        return "" if node.tag == "tag:yaml.org,2002:null" else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, (*path, i), lines) for i, each in enumerate(node.value)]
    plain: dict[str, Any] = {}
    for key, value in node.value:
        line = _line(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable(line, "a key must be plain text")
        if key.value in plain:
            raise Unreadable(line, f"key {key.value!r} is given twice")
        lines[(*path, key.value)] = line
        plain[key.value] = _plain(value, (*path, key.value), lines)
    return plain

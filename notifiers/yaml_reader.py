"""YAML with its lines: reads a file's nodes, so that every problem can name where it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

from notifiers.duration import milliseconds
from notifiers.problem import Problem, did_you_mean

MAX_NODES = 200_000
MAX_BYTES = 4 * 1024 * 1024
Value = TypeVar("Value")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")


@dataclass
class Reading:
    """One file being read, and what was found wrong with it so far."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def problem(self, node: yaml.Node | None, key: str, message: str, hint: str = "") -> None:
        """Note what is wrong at this node."""
        line = node.start_mark.line + 1 if node is not None else 1
        self.problems.append(Problem(self.file, line, key, message, hint))


def compose(text: str, reading: Reading) -> "Section | None":
    """The root mapping of the document, or None with the problem noted."""
    if len(text) > MAX_BYTES:
        reading.problem(None, "", f"the file is larger than {MAX_BYTES} characters")
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = mark.line + 1 if mark else 1
        what = fault.problem or "not YAML"
        reading.problems.append(Problem(reading.file, line, "", f"not YAML: {what}"))
        return None
    except (yaml.YAMLError, RecursionError, ValueError) as fault:
        what = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)[:200]
        reading.problems.append(Problem(reading.file, 1, "", f"not YAML: {what}"))
        return None
    if root is None:
        reading.problem(None, "", "the file is empty")
        return None
    if not _is_small(root):
        reading.problem(root, "", "aliases repeat one another too often or for ever")
        return None
    # Only an escape can write half a character; nothing could store it, or say it.
    if "\\u" in text.lower() and (half := _half(root)) is not None:
        reading.problem(half, "", "half of a surrogate pair is no character: write the character")
        return None
    return section(reading, root, "")


def _is_small(root: yaml.Node) -> bool:
    """Whether the tree, aliases written out, stays within bounds (a node may contain itself)."""
    stack, seen = [(root, 0)], 0
    while stack:
        node, depth = stack.pop()
        seen += 1
        if seen > MAX_NODES or depth > 100:
            return False
        if isinstance(node, yaml.MappingNode):
            stack += [(part, depth + 1) for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            stack += [(part, depth + 1) for part in node.value]
    return True


def _half(root: yaml.Node) -> yaml.Node | None:
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.MappingNode):
            stack += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value
        elif _SURROGATE.search(node.value):
            return node
    return None


def is_null(node: yaml.Node) -> bool:
    """Whether the value was left out (`key:` or `key: null`)."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def section(reading: Reading, node: yaml.Node, path: str) -> "Section | None":
    """The mapping at this node, or None with the problem noted."""
    if not isinstance(node, yaml.MappingNode):
        reading.problem(node, path, "a mapping is wanted here")
        return None
    found = Section(reading, node, path)
    _fill(found, node, merged=False)
    return found


def _fill(found: "Section", node: yaml.MappingNode, merged: bool) -> None:
    own: set[str] = set()
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "(not a word)"
        if key.tag == "tag:yaml.org,2002:merge":
            below = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for part in below:
                if isinstance(part, yaml.MappingNode):
                    _fill(found, part, merged=True)
        elif name in own:
            first = found.items[name][0].start_mark.line + 1
            found.problem(name, "duplicate key", f"it stands already in line {first}", at=key)
        elif not (merged and name in found.items):
            found.items[name] = (key, value)
        if key.tag != "tag:yaml.org,2002:merge":
            own.add(name)


@dataclass
class Section:
    """A mapping of the file; what nobody asked for is an unknown key."""

    reading: Reading
    node: yaml.Node
    path: str
    items: dict[str, tuple[yaml.Node, yaml.Node]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def where(self, key: str) -> str:
        """The path of keys to this one."""
        return f"{self.path}.{key}" if self.path else key

    def problem(self, key: str, message: str, hint: str = "", at: yaml.Node | None = None) -> None:
        """Note what is wrong with a key."""
        node = at or (self.items[key][1] if key in self.items else self.node)
        self.reading.problem(node, self.where(key), message, hint)

    def line(self, key: str) -> int:
        """Where the key stands."""
        return self.items.get(key, (self.node, self.node))[0].start_mark.line + 1

    def value(self, key: str) -> yaml.Node | None:
        """The node under a key; None if it is missing or left out."""
        self.asked.add(key)
        found = self.items.get(key)
        return None if found is None or is_null(found[1]) else found[1]

    def text(self, key: str) -> str | None:
        """A word."""
        node = self.value(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.problem(key, "a text is wanted here")
            return None
        return str(node.value)

    def parsed(self, key: str, parse: Callable[[str], Value]) -> Value | None:
        """A word that `parse` understands or refuses with a ValueError."""
        text = self.text(key)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as fault:
            self.problem(key, str(fault))
            return None

    def duration(self, key: str) -> int | None:
        """A duration, in ms."""
        return self.parsed(key, milliseconds)

    def number(self, key: str) -> int | None:
        """A whole number, not negative."""
        return self.parsed(key, _number)

    def boolean(self, key: str) -> bool | None:
        """True or false."""
        return self.parsed(key, _boolean)

    def section(self, key: str) -> "Section | None":
        """The mapping under a key."""
        node = self.value(key)
        return None if node is None else section(self.reading, node, self.where(key))

    def nodes(self, key: str) -> list[yaml.Node]:
        """The members of the list under a key."""
        node = self.value(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.problem(key, "a list is wanted here")
            return []
        return list(node.value)

    def sections(self, key: str) -> "Iterator[Section]":
        """The mappings in the list under a key."""
        for number, node in enumerate(self.nodes(key)):
            if (one := section(self.reading, node, f"{self.where(key)}[{number}]")) is not None:
                yield one

    def texts(self, key: str) -> list[tuple[str, yaml.Node]]:
        """The words in the list under a key."""
        found: list[tuple[str, yaml.Node]] = []
        for node in self.nodes(key):
            if isinstance(node, yaml.ScalarNode) and not is_null(node):
                found.append((str(node.value), node))
            else:
                self.problem(key, "a list of texts is wanted here", at=node)
        return found

    def pairs(self, key: str) -> list[tuple[str, str, yaml.Node]]:
        """The words by name in the mapping under a key."""
        inner = self.section(key)
        if inner is None:
            return []
        return [(name, inner.text(name) or "", pair[1]) for name, pair in inner.items.items()]

    def close(self, later: frozenset[str] = frozenset()) -> None:
        """Report the keys that nobody asked for; `later` are known but not supported yet."""
        for name, (key, _) in self.items.items():
            if name in self.asked:
                continue
            if name in later:
                self.problem(name, "this key of Alertmanager's is not supported yet", at=key)
            else:
                self.problem(name, "unknown key", did_you_mean(name, self.asked | later), at=key)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f'not a whole number: "{text[:40]}"')
    return int(text)


def _boolean(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f'true or false is wanted, not "{text[:40]}"')

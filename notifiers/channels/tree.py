"""Trees of templates (`details:`), filled in as Alertmanager does it.

A text that after templating reads as YAML of another type becomes that: `{{ len .Alerts }}` is a
number in the message, and the output of `toJson` a list.
"""

import json
import math
from collections.abc import Callable
from typing import TypeAlias

import yaml

from notifiers.yaml_reader import Section

Tree: TypeAlias = "str | int | float | bool | list[Tree] | dict[str, Tree] | None"

_LONGEST_YAML = 4_096
_MOST_NODES = 1_000
_DEEPEST = 50
_SCALARS = yaml.constructor.SafeConstructor()


def read_tree(found: Section, key: str, check: Callable[[str], str]) -> dict[str, Tree]:
    """The mapping under a key; `check` refuses a text with a ValueError. Problems are noted."""
    node = found.value(key)
    if node is None:
        return {}
    try:
        tree = _of_node(node, [_MOST_NODES])
        for text in _texts(tree):
            check(text)
    except ValueError as fault:
        found.problem(key, str(fault))
        return {}
    if not isinstance(tree, dict):
        found.problem(key, "a mapping is wanted here")
        return {}
    return tree


def filled(tree: Tree, text: Callable[[str], str]) -> Tree:
    """The tree with every text put through `text`, and read for what it then is."""
    if isinstance(tree, str):
        return _typed(text(tree))
    if isinstance(tree, list):
        return [filled(one, text) for one in tree]
    if isinstance(tree, dict):
        return {text(key): filled(one, text) for key, one in tree.items()}
    return tree


def _typed(text: str) -> Tree:
    """What the text says as JSON or short YAML; the text itself where it is neither."""
    try:
        found: Tree = json.loads(text, parse_constant=_refused, parse_float=_finite)
        if not isinstance(found, str):
            return found
    except (ValueError, RecursionError):
        pass
    if len(text) > _LONGEST_YAML:
        return text
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        typed = None if node is None else _of_node(node, [_MOST_NODES])
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    return text if isinstance(typed, str) else typed


def _of_node(node: yaml.Node, left: list[int], depth: int = 0) -> Tree:
    """A node's value; `left` counts the nodes down, for aliases may repeat one another."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        raise ValueError("too large or nested too deeply")
    if isinstance(node, yaml.SequenceNode):
        return [_of_node(one, left, depth + 1) for one in node.value]
    if isinstance(node, yaml.MappingNode):
        return {
            str(key.value): _of_node(value, left, depth + 1)
            for key, value in node.value
            if key.tag == "tag:yaml.org,2002:str"
        }
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("not YAML that is understood")
    return _scalar(node)


def _scalar(node: yaml.ScalarNode) -> Tree:
    """Dates and numbers to base 60 are texts, as in Go's YAML."""
    text = str(node.value)
    match node.tag.removeprefix("tag:yaml.org,2002:"):
        case "null":
            return None
        case "bool":
            return bool(_SCALARS.construct_yaml_bool(node))
        case "int" if ":" not in text:
            return int(_SCALARS.construct_yaml_int(node))
        case "float" if ":" not in text:
            value = float(_SCALARS.construct_yaml_float(node))
            return value if math.isfinite(value) else text
        case _:
            return text


def _texts(tree: Tree) -> list[str]:
    """Every text in the tree that is a template, keys included."""
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, list):
        return [text for one in tree for text in _texts(one)]
    if isinstance(tree, dict):
        return [*tree, *(text for one in tree.values() for text in _texts(one))]
    return []


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number beyond floating point")
    return value


def _refused(constant: str) -> Tree:
    raise ValueError(f"{constant} is not JSON")

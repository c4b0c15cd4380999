"""A routing file as it may travel: without what only the courier needs, and so without secrets."""

from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

_GLOBAL = frozenset({"resolve_timeout"})
_CHANNEL = frozenset({"send_resolved", "max_alerts"})


def without_secrets(text: str) -> str:
    """The same routes and receivers; of a channel only what the router decides by.

    For text that `notifiers.config.read` found nothing wrong with; to be read with `bare`. Works
    on YAML's nodes, so that no value changes its type on the way.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    _keep(_child(root, "global"), _GLOBAL)
    for receiver in _items(_child(root, "receivers")):
        for key, channels in _pairs(receiver):
            if key.endswith("_configs"):
                for channel in _items(channels):
                    _keep(channel, _CHANNEL)
    return str(yaml.serialize(root, allow_unicode=True))


def _items(node: Node | None) -> Iterator[Node]:
    if isinstance(node, SequenceNode):
        yield from node.value


def _pairs(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield str(key.value), value


def _child(node: Node | None, name: str) -> Node | None:
    return next((value for key, value in _pairs(node) if key == name), None)


def _keep(node: Node | None, names: frozenset[str]) -> None:
    """Keep these keys; a merged mapping (`<<`) keeps its own of them."""
    if isinstance(node, MappingNode):
        kept = []
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                for part in (*_items(value), value):
                    _keep(part, names)
                kept.append((key, value))
            elif key.value in names:
                kept.append((key, value))
        node.value = kept

"""A routing file as it may travel: without what only the courier needs, and so without secrets."""

from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from notifiers.heartbeats.sealed import sealed

_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_GLOBAL = frozenset({"resolve_timeout"})
_CHANNEL = frozenset({"send_resolved", "max_alerts"})


def without_secrets(text: str) -> str:
    """The same routes and receivers; of a channel only what the router decides by.

    The secrets of ping URLs are sealed: the router and the server need no more to know a ping.
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
    seals = _Seals()
    seals.put(root, "ping_key")
    for heartbeat in _items(_child(root, "heartbeats")):
        seals.put(heartbeat, "id")
    return str(yaml.serialize(root, allow_unicode=True))


class _Seals:
    """Puts seals in the place of secrets, once each, though an anchor may lead to it twice."""

    def __init__(self) -> None:
        self._made: list[Node] = []

    def put(self, node: Node | None, name: str) -> None:
        """Seal the text under this key, in merged mappings too."""
        if not isinstance(node, MappingNode):
            return
        for at, (key, value) in enumerate(node.value):
            if key.tag == _MERGE:
                for part in (*_items(value), value):
                    self.put(part, name)
            elif key.value == name and isinstance(value, ScalarNode):
                node.value[at] = (key, self._sealed(value))

    def _sealed(self, node: ScalarNode) -> Node:
        if node.tag == _NULL or not node.value or any(one is node for one in self._made):
            return node
        made = ScalarNode("tag:yaml.org,2002:str", sealed(node.value))
        self._made.append(made)
        return made


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
            if key.tag == _MERGE:
                for part in (*_items(value), value):
                    _keep(part, names)
                kept.append((key, value))
            elif key.value in names:
                kept.append((key, value))
        node.value = kept

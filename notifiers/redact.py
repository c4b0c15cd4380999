"""A routing file as it may travel: without the secrets, which the courier reads from the file."""

from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

PLACEHOLDER = "https://secret.invalid/"


def without_secrets(text: str) -> str:
    """The same routes and receivers, every receiver's address and credentials left out.

    For text that `notifiers.config.read` found nothing wrong with. Works on YAML's nodes, so that
    no value changes its type on the way.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    _drop(_child(root, "global"), "http_config")
    for receiver in _items(_child(root, "receivers")):
        for webhook in _items(_child(receiver, "webhook_configs")):
            _drop(webhook, "http_config")
            url = _child(webhook, "url")
            if isinstance(url, ScalarNode):
                url.value = PLACEHOLDER
    return str(yaml.serialize(root, allow_unicode=True))


def _items(node: Node | None) -> Iterator[Node]:
    if isinstance(node, SequenceNode):
        yield from node.value


def _child(node: Node | None, name: str) -> Node | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == name:
                found: Node = value
                return found
    return None


def _drop(node: Node | None, name: str) -> None:
    if isinstance(node, MappingNode):
        node.value = [(key, value) for key, value in node.value if key.value != name]

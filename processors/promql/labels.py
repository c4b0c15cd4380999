"""Label sets as sorted tuples, and how Prometheus writes and reduces them."""

from collections.abc import Container, Iterable
from typing import TypeAlias

Labels: TypeAlias = tuple[tuple[str, str], ...]

METRIC_NAME = "__name__"
# What "dropping the metric name" removes in Prometheus 3: the name and the metadata beside it.
METADATA = frozenset({METRIC_NAME, "__type__", "__unit__"})


def of(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Sorts pairs into a label set; an empty value is an absent label, as in Prometheus."""
    return tuple(sorted((name, value) for name, value in pairs if value))


def get(labels: Labels, name: str) -> str:
    """The value of a label, or the empty string where it is absent."""
    return next((value for known, value in labels if known == name), "")


def with_(labels: Labels, name: str, value: str) -> Labels:
    """The label set with one label set anew, or taken away where the value is empty."""
    return of((*without(labels, (name,)), (name, value)))


def without(labels: Labels, names: Container[str]) -> Labels:
    """The label set less some names."""
    return tuple(pair for pair in labels if pair[0] not in names)


def only(labels: Labels, names: Container[str]) -> Labels:
    """The label set reduced to some names."""
    return tuple(pair for pair in labels if pair[0] in names)


def unnamed(labels: Labels) -> Labels:
    """The label set as a function or an arithmetic operator leaves it."""
    return without(labels, METADATA)


def text(labels: Labels) -> str:
    """`{a="b", c="d"}`, the form in Prometheus's own messages."""
    return "{" + ", ".join(f"{name}={quoted(value)}" for name, value in labels) + "}"


def quoted(value: str) -> str:
    """A Go string literal; exact for the printable text that label values are made of."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return f'"{escaped}"'

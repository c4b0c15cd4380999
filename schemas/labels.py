"""Label sets: their one shape, Prometheus's fingerprint, and the ids that history keeps."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name, `__name__` included; no empty values (an empty label is a missing one)."""

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF


def labels_of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """The canonical form of a label set."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((name, value) for name, value in items if value != ""))


def without_name(labels: Labels) -> Labels:
    """The label set without `__name__`."""
    return tuple(pair for pair in labels if pair[0] != "__name__")


def fingerprint(labels: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """Alertmanager's fingerprint: FNV-1a 64 over name, 0xff, value, 0xff in name order; 16 hex.

    Source: prometheus/common `model/signature.go`, labelSetToFingerprint.
    """
    words = (word.encode() for pair in labels_of(labels) for word in pair)
    return packed_fingerprint(b"".join(word + b"\xff" for word in words))


def packed_fingerprint(labels: bytes) -> str:
    """The same of a label set as `schemas.pairs.packed_labels` packs it."""
    state = _FNV_OFFSET
    for byte in labels:
        state = ((state ^ byte) * _FNV_PRIME) & _MASK
    return f"{state:016x}"


def series_id(labels: Labels) -> int:
    """64 bits that name a series in history; BLAKE2b, because millions of them must not meet."""
    digest = blake2b(digest_size=8)
    for name, value in labels:
        digest.update(name.encode() + b"\xff" + value.encode() + b"\xff")
    return int.from_bytes(digest.digest(), "little")


def derived_id(*parts: object) -> str:
    """An id that is a function of what it names, so that a replay rewrites and never repeats."""
    digest = blake2b(digest_size=12)
    for part in parts:
        digest.update(str(part).encode("utf-8", "backslashreplace") + b"\x00")
    return digest.hexdigest()

"""Fingerprints of many label sets at once: FNV-1a over columns of bytes instead of byte by byte."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from schemas.labels import Labels, fingerprint, labels_of

FEW = 24
"""So many and fewer cost less one by one."""
LONG = 2_048
"""Bytes of a label set from which on it is done alone: a column is as long as the longest."""
_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_END = "\udcff"
"""The byte 0xff, which is no UTF-8 and ends each name and value, as `surrogateescape` writes it."""


def fingerprints(sets: Sequence[Mapping[str, str] | Labels]) -> list[str]:
    """What `schemas.labels.fingerprint` says of each of them, in about an eighth of the time."""
    if len(sets) <= FEW:
        return [fingerprint(labels) for labels in sets]
    texts = [_bytes(labels) for labels in sets]
    short = [number for number, text in enumerate(texts) if len(text) <= LONG]
    short.sort(key=lambda number: -len(texts[number]))
    found = dict(zip(short, _hashed([texts[number] for number in short]), strict=True))
    return [found.get(number) or fingerprint(labels) for number, labels in enumerate(sets)]


def _bytes(labels: Mapping[str, str] | Labels) -> bytes:
    words = [*chain.from_iterable(labels_of(labels)), ""]
    return _END.join(words).encode("utf-8", "surrogateescape")


def _hashed(texts: Sequence[bytes]) -> list[str]:
    """Of texts that become no longer."""
    width = len(texts[0]) if texts else 0
    padded = b"".join([text.ljust(width, b"\0") for text in texts])
    columns = np.frombuffer(padded, np.uint8).reshape(len(texts), width).T.astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    longer = np.searchsorted(-lengths, -np.arange(width), side="left")
    state = np.full(len(texts), _OFFSET)
    for column, count in zip(columns, longer.tolist(), strict=True):
        state[:count] ^= column[:count]
        state[:count] *= _PRIME
    whole = state.astype(">u8").tobytes().hex()
    return [whole[at : at + 16] for at in range(0, len(whole), 16)]

"""The series block: the label sets of a batch, packed once and sent with every batch of an agent.

A steady agent packs its block once and repeats the same bytes; a consumer that keeps unpacked
blocks by those bytes pays a lookup. Layout: zlib over MessagePack
`[{labels that all have}, [[name, {own labels}], …]]`.
"""

import zlib
from collections.abc import Sequence

import ormsgpack

from schemas.errors import Reason, Undecodable
from schemas.labels import Labels, labels_of

MAX_SERIES = 100_000
MAX_UNPACKED = 32 * 1024 * 1024
MAX_LABELS = 128
MAX_LABEL_NAME = 1_024
MAX_LABEL_VALUE = 8_192


def pack_series(series: Sequence[Labels]) -> bytes:
    """The block of these series; the order is that of the batch's columns."""
    common = set(series[0]) if series else set()
    for labels in series:
        common &= set(labels)
    common = {pair for pair in common if pair[0] != "__name__"}
    own = [
        [name, {k: v for k, v in labels if k != "__name__" and (k, v) not in common}]
        for labels in series
        for name in (dict(labels).get("__name__", ""),)
    ]
    return zlib.compress(ormsgpack.packb([dict(sorted(common)), own]), 6)


def unpack_series(block: bytes) -> tuple[Labels, ...]:
    """The label sets of a block.

    Raises `Undecodable` when the block is malformed, unpacks to more than 32 MiB, or breaks a
    limit on series or labels.
    """
    try:
        inflate = zlib.decompressobj()
        raw = inflate.decompress(block, MAX_UNPACKED)
        if not inflate.eof:
            raise _bad("is cut short or unpacks to more than 32 MiB")
        common, own = ormsgpack.unpackb(raw)
        if len(own) > MAX_SERIES:
            raise _bad(f"has {len(own)} series, the limit is {MAX_SERIES}")
        return tuple(_labels(common, name, mine) for name, mine in own)
    except (zlib.error, ValueError, TypeError, AttributeError) as fault:
        raise _bad(str(fault)) from fault


def _labels(common: dict[str, str], name: str, own: dict[str, str]) -> Labels:
    labels = labels_of({**common, **own, "__name__": name})
    if len(labels) > MAX_LABELS:
        raise _bad(f"a series has {len(labels)} labels, the limit is {MAX_LABELS}")
    for key, value in labels:
        if not isinstance(key, str) or not isinstance(value, str):
            raise _bad("a label is not text")
        if not key or len(key) > MAX_LABEL_NAME or len(value) > MAX_LABEL_VALUE:
            raise _bad(f"label {key[:40]!r} is empty or too long")
    if not name:
        raise _bad("a series has no __name__")
    return labels


def _bad(what: str) -> Undecodable:
    return Undecodable(Reason.INVALID_COLUMNS, f"the series block {what}")

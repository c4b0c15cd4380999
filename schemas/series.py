"""The series block: the label sets of a batch, packed once and sent with every batch of an agent.

A steady agent packs its block once and repeats the same bytes; a consumer that keeps unpacked
blocks by those bytes pays a lookup. Layout: zlib over records, each ended by 0xFE, of UTF-8
strings, each ended by 0xFF; neither byte occurs in UTF-8. The first record holds the labels that
all series have (name, value, …), each other one a series: `__name__`, then its own labels.
Counting two bytes so tells what a block will cost before any of it is made.
"""

import zlib
from collections.abc import Iterable, Sequence

from schemas.errors import Reason, Undecodable
from schemas.labels import Labels

MAX_SERIES = 100_000
MAX_UNPACKED = 32 * 1024 * 1024
MAX_PAIRS = 2_000_000
"""Labels of all series together, shared ones counted for each."""
MAX_LABELS = 128
MAX_LABEL_NAME = 1_024
MAX_LABEL_VALUE = 8_192

_STRING, _RECORD = b"\xff", b"\xfe"


def pack_series(series: Sequence[Labels]) -> bytes:
    """The block of these series; the order is that of the batch's columns."""
    common = {pair for pair in series[0] if pair[0] != "__name__"} if series else set()
    for labels in series:
        common.intersection_update(labels)
    records = [_record(sorted(common))]
    for labels in series:
        name = dict(labels).get("__name__", "")
        own = (pair for pair in labels if pair[0] != "__name__" and pair not in common)
        records.append(name.encode() + _STRING + _record(own))
    return zlib.compress(_RECORD.join(records) + _RECORD, 6)


def unpack_series(block: bytes) -> tuple[Labels, ...]:
    """The label sets of a block.

    Raises `Undecodable` when the block is malformed, unpacks to more than 32 MiB, or breaks a
    limit on series or labels.
    """
    try:
        shared, *own = _records(block)
        texts = _Texts()
        common = _pairs(texts, shared.split(_STRING))
        return tuple(_labels(texts, common, record) for record in own)
    except (zlib.error, UnicodeDecodeError) as fault:
        raise _bad(f"is malformed: {fault}") from fault


class _Texts(dict[bytes, str]):
    """Each distinct string of a block once."""

    def __missing__(self, raw: bytes) -> str:
        text = raw.decode()
        if len(text) > MAX_LABEL_VALUE:
            raise _bad(f"has a label of {len(text)} characters, the limit is {MAX_LABEL_VALUE}")
        self[raw] = text
        return text


def _records(block: bytes) -> list[bytes]:
    """What the block holds, within its limits: the shared labels, then each series."""
    inflate = zlib.decompressobj()
    raw = inflate.decompress(block, MAX_UNPACKED)
    if not inflate.eof or inflate.unused_data:
        raise _bad("is cut short, has bytes after its end or unpacks to more than 32 MiB")
    series = raw.count(_RECORD) - 1
    if series < 0 or not raw.endswith(_RECORD):
        raise _bad("does not end where a series ends")
    if series > MAX_SERIES:
        raise _bad(f"has {series} series, the limit is {MAX_SERIES}")
    shared = raw.count(_STRING, 0, raw.index(_RECORD)) // 2
    if shared * series + raw.count(_STRING) // 2 > MAX_PAIRS:
        raise _bad(f"has more than {MAX_PAIRS} labels")
    return raw[:-1].split(_RECORD)


def _labels(texts: _Texts, common: list[tuple[str, str]], record: bytes) -> Labels:
    name, *own = record.split(_STRING)
    if not name or not own:
        raise _bad("has a series without __name__")
    pairs = [("__name__", texts[name]), *common, *_pairs(texts, own)]
    if len(pairs) > MAX_LABELS:
        raise _bad(f"has a series of {len(pairs)} labels, the limit is {MAX_LABELS}")
    if len({key for key, _ in pairs}) < len(pairs):
        raise _bad("has a series with a label twice")
    return tuple(sorted(pairs))


def _pairs(texts: _Texts, strings: list[bytes]) -> list[tuple[str, str]]:
    """Name and value by turns; the last string is what follows the last end, so nothing."""
    if strings[-1] or len(strings) % 2 == 0:
        raise _bad("has a label cut short")
    known = [texts[raw] for raw in strings]
    pairs = [pair for pair in zip(known[0:-1:2], known[1::2], strict=True) if pair[1]]
    for key, _ in pairs:
        if not 0 < len(key) <= MAX_LABEL_NAME:
            raise _bad(f"has a label whose name {key[:40]!r} is empty or too long")
    return pairs


def _record(pairs: Iterable[tuple[str, str]]) -> bytes:
    return b"".join(
        name.encode() + _STRING + value.encode() + _STRING for name, value in pairs if value
    )


def _bad(what: str) -> Undecodable:
    return Undecodable(Reason.INVALID_COLUMNS, f"the series block {what}")

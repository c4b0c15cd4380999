"""Prometheus's hash of a label set: XXH64 of its `stringlabels` form, as `limit_ratio` needs it.

https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
"""

from struct import iter_unpack

from processors.promql.labels import Labels

_1 = 0x9E3779B185EBCA87
_2 = 0xC2B2AE3D27D4EB4F
_3 = 0x165667B19E3779F9
_4 = 0x85EBCA77C2B2AE63
_5 = 0x27D4EB2F165667C5
_MASK = 0xFFFFFFFFFFFFFFFF


def hashed(labels: Labels) -> int:
    """The 64-bit hash of a label set."""
    return xxh64(b"".join(_sized(text) for pair in labels for text in pair))


def _sized(text: str) -> bytes:
    data = text.encode(errors="replace")
    size = len(data)
    return (bytes([size]) if size < 255 else b"\xff" + size.to_bytes(3, "little")) + data


def _left(value: int, places: int) -> int:
    return (value << places | value >> (64 - places)) & _MASK


def _round(lane: int, word: int) -> int:
    return _left((lane + word * _2) & _MASK, 31) * _1 & _MASK


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0."""
    whole = len(data) - len(data) % 32
    state = _stripes(data[:whole]) if whole else _5
    state = (state + len(data)) & _MASK
    rest = data[whole:]
    eights = len(rest) - len(rest) % 8
    for (word,) in iter_unpack("<Q", rest[:eights]):
        state = (_left(state ^ _round(0, word), 27) * _1 + _4) & _MASK
    rest = rest[eights:]
    if len(rest) >= 4:
        word = int.from_bytes(rest[:4], "little")
        state = (_left(state ^ word * _1 & _MASK, 23) * _2 + _3) & _MASK
        rest = rest[4:]
    for byte in rest:
        state = _left(state ^ byte * _5 & _MASK, 11) * _1 & _MASK
    state = (state ^ state >> 33) * _2 & _MASK
    state = (state ^ state >> 29) * _3 & _MASK
    return state ^ state >> 32


def _stripes(data: bytes) -> int:
    lanes = [(_1 + _2) & _MASK, _2, 0, -_1 & _MASK]
    for words in iter_unpack("<4Q", data):
        lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
    turned = zip(lanes, (1, 7, 12, 18), strict=True)
    state = sum(_left(lane, places) for lane, places in turned) & _MASK
    for lane in lanes:
        state = ((state ^ _round(0, lane)) * _1 + _4) & _MASK
    return state

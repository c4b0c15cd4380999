"""Fingerprints of many label sets at once: FNV-1a over columns of bytes instead of byte by byte."""

from collections.abc import Sequence

import numpy as np

from schemas.labels import packed_fingerprint

FEW = 24
"""So many and fewer cost less one by one."""
LONG = 2_048
"""Bytes of a label set from which on it is done alone: a column is as long as the longest."""
_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def fingerprints(sets: Sequence[bytes]) -> list[str]:
    """What `schemas.labels.fingerprint` says of each of these label sets, in an eighth of its time.

    They are packed, as `schemas.pairs.packed_labels` leaves them.
    """
    if len(sets) <= FEW:
        return [packed_fingerprint(one) for one in sets]
    if max(map(len, sets)) <= LONG:
        return _hashed(sets)
    short = [number for number, one in enumerate(sets) if len(one) <= LONG]
    found = dict(zip(short, _hashed([sets[number] for number in short]), strict=True))
    return [found.get(number) or packed_fingerprint(one) for number, one in enumerate(sets)]


def _hashed(texts: Sequence[bytes]) -> list[str]:
    lengths = np.array([*map(len, texts)])
    width, ends = int(lengths.max(initial=0)), frozenset(lengths.tolist())
    padded = b"".join([text.ljust(width, b"\0") for text in texts])
    columns = np.frombuffer(padded, np.uint8).reshape(len(texts), width).T.astype(np.uint64)
    state, done = np.full(len(texts), _OFFSET), np.full(len(texts), _OFFSET)
    # As long as the state: numpy would make an array of the number anew for each column.
    prime = np.full(len(texts), _PRIME)
    xor, multiply = np.bitwise_xor, np.multiply
    for number, column in enumerate(columns, 1):
        xor(state, column, state)
        multiply(state, prime, state)
        if number in ends:
            # What follows is padding to some: what they are is noted now.
            np.copyto(done, state, where=lengths == number)
    whole = done.astype(">u8").tobytes().hex()
    return [whole[at : at + 16] for at in range(0, len(whole), 16)]

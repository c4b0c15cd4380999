"""What was made of blocks of series, remembered within a bound of bytes."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Generic, TypeVar

ROOM = 64 * 2**20
"""Bytes that one cache may hold: blocks of 500 selected series from 7,000 agents."""
ENTRY = 900
"""Bytes of an entry besides what its maker counts: digest, link, object, and array headers."""
_Made = TypeVar("_Made")


class BlockCache(Generic[_Made]):
    """The newest used of what was made of blocks, by digests of them: blocks are large."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._made: OrderedDict[bytes, tuple[_Made, int]] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._made)

    def get(self, block: bytes) -> _Made | None:
        """What was made of this block, if it is still known."""
        key = blake2b(block, digest_size=16).digest()
        known = self._made.get(key)
        if known is None:
            return None
        self._made.move_to_end(key)
        return known[0]

    def put(self, block: bytes, made: _Made, nbytes: int) -> None:
        """Remember what was made of a block that is not known; `nbytes` is its size."""
        self._made[blake2b(block, digest_size=16).digest()] = made, nbytes + ENTRY
        self.nbytes += nbytes + ENTRY
        while self.nbytes > self._room:
            _, (_, freed) = self._made.popitem(last=False)
            self.nbytes -= freed

    def clear(self) -> None:
        """Forget all of it."""
        self._made.clear()
        self.nbytes = 0

"""How the C library keeps memory that was given back: a worker with many threads keeps little."""

import ctypes

_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
LARGE = 1 << 18
"""Bytes from which on a block goes back to the system at once."""
HEAPS = 2


def keep_little() -> None:
    """Where it is glibc; to be called before threads begin. Each of them would have a heap of its
    own, and keep there what the largest messages ever took."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_ARENA_MAX, HEAPS)

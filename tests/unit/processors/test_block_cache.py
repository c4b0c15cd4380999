"""What is remembered of blocks: the newest used, within a bound of bytes."""

import numpy as np

from processors.block_cache import ENTRY, BlockCache
from processors.promql.plan import compile
from processors.windows import Windows
from schemas.labels import labels_of
from schemas.metrics import metric_batch
from tests.support.build import T0


def test_a_full_cache_forgets_what_was_used_longest_ago() -> None:
    cache: BlockCache[str] = BlockCache(room=2 * (ENTRY + 100))
    cache.put(b"first", "1", 100)
    cache.put(b"second", "2", 100)
    assert cache.get(b"first") == "1"
    cache.put(b"third", "3", 100)
    assert [cache.get(block) for block in (b"first", b"second", b"third")] == ["1", None, "3"]


def test_bytes_are_bounded_and_counted_not_entries() -> None:
    cache: BlockCache[str] = BlockCache(room=100_000)
    for number in range(1_000):
        cache.put(b"small %d" % number, "", 0)
        assert cache.nbytes == len(cache) * ENTRY <= 100_000
    cache.put(b"large", "", 90_000)
    assert cache.get(b"large") == ""
    assert cache.nbytes == 90_000 + len(cache) * ENTRY <= 100_000
    cache.put(b"too large", "", 100_001)
    assert (len(cache), cache.nbytes) == (0, 0)


def test_a_cleared_cache_has_all_its_room_again() -> None:
    cache: BlockCache[str] = BlockCache(room=1_000)
    cache.put(b"a", "a", 100)
    cache.clear()
    assert (cache.get(b"a"), cache.nbytes) == (None, 0)


def test_a_block_of_which_nothing_is_selected_costs_windows_no_more_than_an_entry() -> None:
    windows = Windows(compile("wanted").selectors)
    for number in range(3):
        series = [
            labels_of({"__name__": "unwanted", "n": str(each), "block": str(number)})
            for each in range(200)
        ]
        windows.add(metric_batch("a", series, [1.0] * 200, [T0]), np.array([T0]), T0)
    assert windows._blocks.nbytes == 3 * ENTRY

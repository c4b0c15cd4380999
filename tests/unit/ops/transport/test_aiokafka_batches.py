"""What a consumer of Faust's makes of an answer in which batches cannot be read."""

import gzip
from collections.abc import Callable
from types import SimpleNamespace

import cramjam
import pytest
from aiokafka.consumer import consumer, fetcher
from aiokafka.structs import ConsumerRecord, TopicPartition
from kafka.record import default_records
from kafka.record.default_records import DefaultRecordBatchBuilder

from ops.transport import aiokafka_batches
from ops.transport.aiokafka_batches import POLL, Records, unreadable
from ops.transport.kafka_batches import LARGEST
from schemas.errors import Refused

WHERE = TopicPartition("t", 0)
CODECS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, lambda data: gzip.compress(data, 1)),
    "snappy": (2, lambda data: bytes(cramjam.snappy.compress_raw(data))),
    "lz4": (3, lambda data: bytes(cramjam.lz4.compress(data))),
    "zstd": (4, lambda data: bytes(cramjam.zstd.compress(data))),
}


@pytest.fixture(autouse=True)
def patched() -> None:
    aiokafka_batches.install()


class Name(str):
    """A header's name that is no text."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff"


def batch(base: int, *values: bytes, codec: int = 0, name: str = "h") -> bytearray:
    made = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 30,
    )
    for number, value in enumerate(values):
        made.append(number, timestamp=1, key=b"k", value=value, headers=[(name, b"v")])
    data = bytearray(made.build())
    data[:8] = base.to_bytes(8, "big")
    return data


def result(data: bytes, offset: int = 0) -> fetcher.FetchResult:
    """As the fetcher makes it of an answer."""
    state = SimpleNamespace(paused=False, position=offset)
    state.consumed_to = lambda to: setattr(state, "position", to)
    part = fetcher.PartitionRecords(
        WHERE, fetcher.MemoryRecords(data), [], offset, None, None, True, fetcher.READ_COMMITTED
    )
    assignment = SimpleNamespace(active=True, state_value=lambda _where: state)
    return fetcher.FetchResult(WHERE, assignment=assignment, partition_records=part, backoff=0.0)


def polled(found: fetcher.FetchResult) -> list[ConsumerRecord]:
    aiokafka_batches._poll.left = POLL
    records: list[ConsumerRecord] = found.getall()
    return records


def told(data: bytes, offset: int = 0) -> list[tuple[int, bytes | None]]:
    """Offset and value of each; none where something cannot be read."""
    found = polled(result(data, offset))
    return [(each.offset, None if unreadable(each) else each.value) for each in found]


def test_headers_that_are_no_text_are_not_looked_at() -> None:
    assert told(bytes(batch(0, b"a", name=Name("x")))) == [(0, b"a")]


@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_is_passed_over(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number, pack = CODECS[codec]
    bomb = pack(bytes(LARGEST + 1))
    monkeypatch.setattr(DefaultRecordBatchBuilder, "_assert_has_codec", lambda *_: None)
    monkeypatch.setattr(default_records, f"{codec}_encode", lambda _data: bomb)
    data = batch(5, b"x" * (len(bomb) + 100), b"y", codec=number)
    assert told(bytes(batch(3, b"a", b"b") + data + batch(7, b"c")), 4) == [
        (4, b"b"),
        (5, None),
        (7, b"c"),
    ]


def test_a_wrong_checksum_is_passed_over_as_far_as_its_batch_goes() -> None:
    damaged = batch(0, b"a", b"b", b"c")
    damaged[-5] ^= 1
    assert told(bytes(damaged + batch(3, b"d"))) == [(0, None), (3, b"d")]


def test_where_a_damaged_head_says_that_it_ends_is_not_believed() -> None:
    damaged = batch(0, b"a")
    damaged[23] = 0x7F
    found = result(bytes(damaged))
    assert [unreadable(each) for each in polled(found)] == [True]
    assert found._assignment.state_value(WHERE).position == 1


@pytest.mark.parametrize("data", [b"", b"\0" * 11, b"\0" * 12, b"\0" * 8 + b"\xff" * 30])
def test_noise_ends(data: bytes) -> None:
    records = Records(data)
    while records.has_next():
        with pytest.raises(aiokafka_batches.Unreadable):
            records.next_batch()
    assert records.size_in_bytes() == len(data)


def test_a_poll_gives_no_more_than_its_bytes_and_the_next_one_goes_on() -> None:
    data = b"".join(bytes(batch(n, b"x" * (POLL // 2))) for n in range(5))
    found = result(data)
    offsets = []
    while found.has_more():
        offsets.append([each.offset for each in polled(found)])
    assert offsets == [[0, 1], [2, 3], [4]]


def test_another_aiokafka_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "Fetcher", fetcher.Fetcher)
    monkeypatch.delattr(fetcher.FetchResult.__mro__[1], "_update_position")
    with pytest.raises(Refused, match="_update_position"):
        aiokafka_batches.install()

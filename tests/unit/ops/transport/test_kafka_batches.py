"""What of kafka-python is replaced has to be there."""

import pytest
from kafka import codec
from kafka.record import default_records, memory_records
from kafka.record.default_records import DefaultRecordBatch

from ops.transport import kafka_batches
from schemas.errors import Refused


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (memory_records, "DefaultRecordBatch"),
        (default_records, "zstd_encode"),
        (codec, "zstd"),
        (DefaultRecordBatch, "_read_msg"),
    ],
)
def test_another_kafka_python_is_refused(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    kafka_batches.install()
    monkeypatch.delattr(owner, name)
    with pytest.raises(Refused, match=rf"{name}.*install \"kafka-python"):
        kafka_batches.install()

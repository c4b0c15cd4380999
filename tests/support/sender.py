"""A few samples by hand, to a running process, over the agents' door."""

from pathlib import Path
from typing import Self

from collectors.batches import Sealer
from collectors.http_publish import HttpPublish
from schemas.labels import labels_of
from schemas.metrics import metric_batch
from schemas.stage import Message, Position
from schemas.topics import CODEC, METRICS
from tests.support.tocsin_process import wall


class Sender:
    """One producer, of one instance; its batches are numbered."""

    def __init__(self, url: str, token_file: Path, host: str = "hand") -> None:
        self.host = host
        self._publish = HttpPublish(url, token_file.read_text)
        self._sealer = Sealer(f"hand-{host}", wall())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._publish.close()

    def message(self, metric: str, value: float, at: int | None = None, **labels: str) -> Message:
        """One sample, on its way."""
        now = wall()
        series = labels_of({"__name__": metric, "instance": self.host, **labels})
        batch = metric_batch(self.host, [series], [value], [now if at is None else at])
        envelope = self._sealer.seal(batch)._replace(sent_at=now)
        return Message(METRICS, self.host, CODEC.encode(envelope))

    def publish(self, *messages: Message) -> list[Position]:
        """Have these appended."""
        return self._publish.publish(messages)

    def send(self, metric: str, value: float, at: int | None = None, **labels: str) -> Position:
        """Have one sample appended."""
        return self.publish(self.message(metric, value, at, **labels))[0]

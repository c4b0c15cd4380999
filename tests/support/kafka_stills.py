"""How long partitions stood still, read off the times at which their checkpoints were written."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ops.config_kafka import KafkaSettings
from ops.transport import kafka_checkpoint
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_reader import KafkaReader
from schemas.stage import Partition
from schemas.topics import checkpoints

_OFFSET = kafka_checkpoint.OFFSET.decode()


class Checkpoints:
    """A stage's checkpoint topic, beside its workers."""

    def __init__(self, settings: KafkaSettings, stage: str) -> None:
        self._settings = settings
        self._topic = checkpoints(stage)

    def commits(self, partition: int) -> Sequence[int]:
        """When (ms) each commit was appended; compaction leaves what is younger than an hour."""
        reader = KafkaReader(Clients(self._settings, "test"))
        where, offset, found = Partition(self._topic, partition), 0, list[int]()
        try:
            while records := reader.read(where, offset, 5_000)[0]:
                found += [r.appended_at for r in records if r.key == _OFFSET]
                offset = records[-1].offset + 1
        finally:
            reader.close()
        return found

    def next(self, partition: int) -> int:
        """Where the next owner goes on; -1 before the first commit."""
        reader = KafkaReader(Clients(self._settings, "test"))
        try:
            entries = reader.compacted(Partition(self._topic, partition))
        finally:
            reader.close()
        next_ = kafka_checkpoint.read(entries).next
        return -1 if next_ is None else next_

    def stills(self, since: int, until: int, longer: int = 2_000) -> Mapping[int, Sequence[int]]:
        """By partition, the pauses (ms) between commits above `longer`.

        Under load a partition commits once a second at the least, so up to two seconds of a pause
        are no standing still.
        """
        found: dict[int, list[int]] = defaultdict(list)
        for number in range(self._settings.partitions):
            times = [since, *(at for at in self.commits(number) if since < at < until), until]
            pauses = [b - a for a, b in pairwise(times)]
            found[number] = [pause for pause in pauses if pause > longer]
        return found

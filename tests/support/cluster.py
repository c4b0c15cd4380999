"""Detectors on several partitions, and spanning detectors behind them, in memory and in one clock.

Every stage reads its own partition of one log, decides, and commits outputs, state and offset
together; who is restarted begins with what it committed, as the runtimes do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ops.runtime.intake import decoded, encoded, runs
from ops.transport.keys import partition_of
from processors.detector import Detector
from processors.spanning import SpanningDetector
from schemas.event import Event
from schemas.labels import derived_id
from schemas.plans import WakeUp
from schemas.stage import Message, Output, Partition, Record, Stage
from schemas.topics import CODEC, GATHERED, METRICS


@dataclass(slots=True)
class Member:
    """A stage on one partition; `make` makes it anew."""

    make: Callable[[], Stage]
    partition: Partition
    state: dict[str, bytes] = field(default_factory=dict)
    committed: int = 0
    clock: int = 0
    woken: int = -1
    stalled: bool = False
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        self.stage = self.make()


class Cluster:
    """One detector a partition, one spanning detector a partition of what is gathered."""

    def __init__(self, partitions: int, gathered: int, now: int, chunk: int = 500) -> None:
        self.now = now
        self.log: dict[Partition, list[Record]] = {}
        self.counts = {METRICS: partitions, GATHERED: gathered}
        self._chunk = chunk
        self.detectors = [
            Member(lambda n=n: Detector(n, partitions), Partition(METRICS, n))  # type: ignore[misc]
            for n in range(partitions)
        ]
        self.spanning = [Member(SpanningDetector, Partition(GATHERED, n)) for n in range(gathered)]

    @property
    def members(self) -> list[Member]:
        return [*self.detectors, *self.spanning]

    def publish(self, messages: Iterable[Message]) -> None:
        """Append at this moment."""
        for message in messages:
            number = message.partition
            if number is None:
                number = partition_of(message.key, self.counts.get(message.topic, 1))
            where = Partition(message.topic, number)
            records = self.log.setdefault(where, [])
            records.append(Record(where, len(records), self.now, message.key, message.value))

    def run_until(self, end: int) -> None:
        """Let everybody work, and be woken when they asked for it."""
        self.settle()
        while (due := self._next_wake()) is not None and due <= end:
            self.now = max(self.now, due)
            for member in self.members:
                self._wake(member)
            self.settle()
        self.now = max(self.now, end)

    def settle(self) -> None:
        """Until nobody has anything to read."""
        while sum(self._turn(member) for member in self.members):
            pass

    def restart(self, member: Member) -> None:
        """Begin again with what is committed."""
        stage = member.stage = member.make()
        for key, value in sorted(member.state.items()):
            stage.restore(key, value)
        done = self.log.get(member.partition, [])[: member.committed]
        member.clock = now = done[-1].appended_at if done else 0
        reach = stage.reach()
        if reach:
            window = [record for record in done if record.appended_at >= now - reach]
            for at, run in runs(window, 0):
                stage.rebuild(decoded(stage.name, run, at)[0], at)

    def events(self, topic: str) -> list[Event]:
        """Everything on a topic."""
        return [
            CODEC.decode(record.value).event
            for where, records in sorted(self.log.items())
            if where.topic == topic
            for record in records
        ]

    def ids(self, kind: type[Event]) -> list[str]:
        """The id of every event of a kind."""
        decoded = (CODEC.decode(each.value) for records in self.log.values() for each in records)
        return [envelope.id for envelope in decoded if isinstance(envelope.event, kind)]

    def _turn(self, member: Member) -> bool:
        records = self.log.get(member.partition, [])
        records = records[member.committed : member.committed + self._chunk]
        if member.stalled or not records:
            return False
        for at, run in runs(records, member.clock):
            received, letters = decoded(member.stage.name, run, at)
            assert not letters
            step = member.stage.step(received, at)
            producer = f"{member.stage.name}/{member.partition.number}"
            self.publish(encoded(output, producer, at) for output in step.outputs)
            for change in step.changes:
                if change.value is None:
                    member.state.pop(change.key, None)
                else:
                    member.state[change.key] = change.value
            member.committed, member.clock = run[-1].offset + 1, at
            failed = [name for name in step.counts if name.startswith("rule failed")]
            assert not failed, failed
            if step.reload:
                self.restart(member)
                return True
        return True

    def _next_wake(self) -> int | None:
        dues = (
            member.stage.wake_at()
            for member in self.members
            if not member.stalled and member.woken < member.committed
        )
        return min((due for due in dues if due is not None), default=None)

    def _wake(self, member: Member) -> None:
        due = member.stage.wake_at()
        if member.stalled or due is None or due > self.now or member.woken >= member.committed:
            return
        where, name = member.partition, member.stage.name
        member.woken = len(self.log.get(where, []))
        event = WakeUp(stage=name, due=due)
        output = Output(where.topic, "", derived_id("wake", where, name, due), event)
        message = encoded(output, f"{name}/{where.number}", self.now)
        self.publish([Message(where.topic, "", message.value, where.number)])

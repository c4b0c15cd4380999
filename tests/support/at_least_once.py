"""A model of a runtime that delivers at least once, in memory.

Outputs are acknowledged one by one, then a step's state is written as a whole, then the offset is
committed; a crash between any two of them leaves the later ones undone. The runtimes that there are
do all three in one transaction (ADR 9): a stage that holds here holds there.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from ops.runtime.intake import dead_letter, decoded, encoded, runs
from ops.transport.keys import partition_of
from schemas.errors import Reason
from schemas.stage import Message, Partition, Record, Stage, Step


class Gone(BaseException):
    """The process is gone."""


class AtLeastOnce:
    """Every partition in turn, a few records at a time."""

    def __init__(self, _directory: Path, make: Callable[[], Stage], partitions: int) -> None:
        self._make = make
        self._partitions = partitions
        self._now = 0
        self._log: dict[Partition, list[Record]] = {}
        self._state: dict[int, dict[str, bytes]] = {n: {} for n in range(partitions)}
        self._committed = dict.fromkeys(range(partitions), 0)
        self._crash = -1
        self._stages: dict[int, Stage] = {}
        self._next: dict[int, int] = {}
        self._clock: dict[int, int] = {}
        self._alone = -1
        self.restart()

    def publish(self, messages: Sequence[Message], now: int) -> None:
        self._now = max(self._now, now)
        for message in messages:
            count = self._partitions if message.topic == self._topic else 1
            number = message.partition
            if number is None:
                number = partition_of(message.key, count)
            partition = Partition(message.topic, number)
            records = self._log.setdefault(partition, [])
            records.append(Record(partition, len(records), self._now, message.key, message.value))

    def settle(self) -> None:
        while True:
            try:
                while sum(self._turn(number) for number in range(self._partitions)):
                    pass
                return
            except Gone:
                self.restart()

    def restart(self) -> None:
        self._topic = self._make().topic
        for number in range(self._partitions):
            self._load(number)

    def crash_after(self, boundaries: int) -> None:
        self._crash = boundaries

    def read(self, topic: str) -> list[bytes]:
        return [record.value for record in self._log.get(Partition(topic, 0), [])]

    def close(self) -> None:
        """Nothing to let go of."""

    def _boundary(self) -> None:
        if self._crash == 0:
            self._crash = -1
            raise Gone
        self._crash -= 1

    def _load(self, number: int) -> None:
        stage = self._stages[number] = self._make()
        for key, value in sorted(self._state[number].items()):
            stage.restore(key, value)
        self._next[number] = self._committed[number]
        done = self._log.get(Partition(self._topic, number), [])[: self._next[number]]
        self._clock[number] = now = done[-1].appended_at if done else 0
        reach = stage.reach()
        if reach:
            window = [record for record in done if record.appended_at >= now - reach]
            for at, run in runs(window, 0):
                received, _ = decoded(stage.name, run, at)
                stage.rebuild([each for each in received if each.envelope.id != "poison"], at)

    def _turn(self, number: int) -> bool:
        partition = Partition(self._topic, number)
        offset = self._next[number]
        limit = 1 if offset <= self._alone else 3
        records = self._log.get(partition, [])[offset : offset + limit]
        for at, run in runs(records, self._clock[number]):
            stage = self._stages[number]
            received, letters = decoded(stage.name, run, at)
            try:
                step = stage.step(received, at)
            except ZeroDivisionError as fault:
                self._load(number)
                if len(run) > 1:
                    self._alone = run[-1].offset
                    return True
                step = Step()
                letters = [dead_letter(stage.name, run[0], Reason.STAGE_FAILED, str(fault), at)]
            self._finish(number, step, [encoded(o, "t", at) for o in (*step.outputs, *letters)])
            self._clock[number] = at
            self._next[number] = run[-1].offset + 1
            self._boundary()
            self._committed[number] = self._next[number]
            if step.reload:
                self._load(number)
                return True
        return bool(records)

    def _finish(self, number: int, step: Step, messages: Sequence[Message]) -> None:
        for message in messages:
            self.publish([message], self._now)
            self._boundary()
        for change in step.changes:
            if change.value is None:
                self._state[number].pop(change.key, None)
            else:
                self._state[number][change.key] = change.value
        self._boundary()

"""The driver: one stage over one partition of a log, exactly once."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from ops.runtime.crash import Crash
from ops.runtime.intake import dead_letter, decoded, encoded, runs
from ops.transport.sqlite_log import no_crash
from ops.transport.stage_log import Fenced, StageCommit, StageLog, Stale
from schemas.errors import LogAway, Reason
from schemas.labels import derived_id
from schemas.plans import WakeUp
from schemas.stage import Message, Output, Partition, Record, Stage, StateChange, Step
from schemas.topics import TOPICS

logger = logging.getLogger(__name__)

COMMIT_WITHIN = 1.0
"""Seconds until a step without outputs is committed; with outputs it is committed at once."""
CHUNK = 500
STREAM = 0.005
"""Seconds between looks at a log that brings a few records at a time, and nothing to decide."""
FEW = 50
TOPIC_ANEW = "topic made anew"
"""What is counted when offsets began again."""
FAILURES_IN_A_ROW = 100
"""A stage that fails that often in a row is broken; burying everything would only hide it."""


class StageBroken(Exception):
    """The stage failed on record after record and stopped."""


class Driver:
    """Reads, steps, commits; wakes the stage with records of its own.

    Outputs, state changes and the offset commit in one transaction. A commit that failed is
    repeated, the very same, before anything else is read. Steps that decided nothing
    are committed together within a second: a crash repeats them, and nobody can tell. A record on
    which the stage raises is buried after the others around it were stepped alone.
    """

    def __init__(
        self,
        log: StageLog,
        make: Callable[[], Stage],
        number: int = 0,
        crash: Crash = no_crash,
        commit_within: float = COMMIT_WITHIN,
        count: Callable[[str, int], None] = lambda _name, _amount: None,
        stopping: threading.Event | None = None,
    ) -> None:
        self._log = log
        self._make = make
        self._crash = crash
        self._commit_within = commit_within
        self._count = count
        self._reader = log.reader()
        self._failures = 0
        self._careful_until = 0
        self._pending: StageCommit | None = None
        self._reload = False
        self._loaded = False
        self._next = 0
        self.error: str | None = None
        self.trouble = ""
        """Why the log does not answer just now; empty while it does."""
        self.loading = 0.0
        """Seconds that the last loading took, the rebuilding of windows included."""
        self.ready = threading.Event()
        self.stopping = stopping or threading.Event()
        """Ends a rebuilding that is under way."""
        self.committing = 0.0
        """Since when (monotonic) a commit is under way; 0 while none is."""
        self._grown = threading.Event()
        self._moved = threading.Condition()
        self._committed = 0
        self._awaited = 0
        self._taken_at = float("-inf")
        self.streaming = False
        """Whether records come one after another, so that a look at each costs more than it."""
        self.stage = make()
        self.partition = Partition(self.stage.topic, number)
        try:
            self._load()
        except BaseException:
            self._reader.close()
            raise

    @property
    def lag(self) -> int:
        """How many records are still to be read."""
        return max(0, self._reader.end(self.partition) - self._next)

    @property
    def now(self) -> int:
        """The log's clock where this stage is, in ms; 0 before the first record."""
        return self._now

    def taken(self, offset: int, within: float) -> bool:
        """Wait until the record there is taken and committed; False after `within` s.

        Its commit does not wait for others. From any thread.
        """
        if self._committed > offset:
            return True
        self._awaited = max(self._awaited, offset + 1)
        self._grown.set()
        with self._moved:
            return self._moved.wait_for(lambda: self._committed > offset, within)

    def turn(self) -> bool:
        """Take what there is; False when there was nothing and no wake-up was due."""
        if not self._loaded:
            self._load()
        try:
            return self._turn()
        except Stale:
            self._loaded = False
            raise

    def _turn(self) -> bool:
        if self._pending is not None:
            self._flush()
        limit = 1 if self._next < self._careful_until else CHUNK
        records, gap = self._reader.read(self.partition, self._next, limit)
        if gap:
            logger.error(
                "records lost to retention",
                extra={"stage": self.stage.name, "first": gap.first, "resumed": gap.resumed},
            )
            self._count("gap", gap.resumed - gap.first)
            self._next = gap.resumed
            self._flush()
        if not records:
            if not self.ready.is_set() and self._reader.caught_up(self.partition, self._next):
                self.ready.set()
            self._flush(only_if_due=True)
            return self._wake()
        self._take(records)
        self._notice(len(records))
        return True

    def _notice(self, count: int) -> None:
        """Is it a stream? A lone record, what is decided and what is waited for is not held up."""
        before, self._taken_at = self._taken_at, time.monotonic()
        told = self._committed == self._next or self._committed < self._awaited
        self.streaming = count < FEW and not told and self._taken_at - before < 2 * STREAM

    def run(self, stop: threading.Event) -> None:
        """Turn until stopped; a log that is away is tried again."""
        grown = self._grown = self._log.listen([self.partition.topic])
        try:
            while not stop.is_set():
                grown.clear()
                try:
                    if not self.turn():
                        grown.wait(self._patience())
                    elif self.streaming:
                        stop.wait(STREAM)
                    self.trouble = ""
                except Fenced as fault:
                    # Ours no more, as a rule, and the group is about to say so. If it does not,
                    # the partition is claimed once more.
                    self._in_trouble(str(fault))
                    self._count("fenced", 1)
                    stop.wait(2.0)
                except LogAway as fault:
                    self._in_trouble(str(fault))
                    stop.wait(1.0)
            if self._loaded and self._pending is None:
                # What failed before is the next owner's: who repeats it claims the partition anew.
                self._flush()
        except StageBroken as fault:
            self.error = str(fault)
            logger.error("stage stopped", extra={"stage": self.stage.name, "error": self.error})
        except LogAway as fault:
            logger.warning("last commit failed", extra={"error": str(fault)})
        finally:
            self._log.unlisten(grown)
            self._reader.close()

    def _in_trouble(self, why: str) -> None:
        if not self.trouble:
            logger.warning("log away", extra={"stage": self.stage.name, "error": why})
        self.trouble = why

    def close(self) -> None:
        """Let go of the log without committing."""
        self._reader.close()

    def _load(self) -> None:
        """Start from what is committed: state, then windows, then the offset."""
        self._loaded = False
        self.ready.clear()
        began = time.monotonic()
        stage = self.stage = self._make()
        self._log.claim(stage.name, self.partition)
        for key, value in self._reader.state(stage.name, self.partition.number):
            stage.restore(key, value)
        committed = self._reader.committed(stage.name, self.partition)
        self._next = self._reader.begin(self.partition) if committed is None else committed
        self._now = 0
        self._outputs: list[Message] = []
        self._changes: dict[str, StateChange] = {}
        if self._reader.anew:
            self._begin_again(stage)
        self._committed = self._next
        self._since = time.monotonic()
        self._wake_offset = -1
        self._woken: tuple[int, float] = (-1, 0.0)
        self._patient = 0.5
        self._pending = None
        self._reload = False
        last, _ = self._reader.read(self.partition, max(0, self._next - 1), 1)
        if committed and last and last[0].offset == committed - 1:
            self._now = last[0].appended_at
        self._rebuild(stage)
        self._loaded = True
        self.loading = time.monotonic() - began

    def _begin_again(self, stage: Stage) -> None:
        logger.error(
            "offsets went back: the topic was made anew, reading it from its begin",
            extra={"topic": self.partition.topic, "partition": self.partition.number},
        )
        self._count(TOPIC_ANEW, 1)
        # At once, so that it is found to be new only once; in one transaction with the stage's
        # word that it has seen nothing yet, or the next start would take old offsets for new ones.
        changes = stage.begin_again()
        self._log.commit_stage(StageCommit(stage.name, self.partition, self._next, changes=changes))

    def _rebuild(self, stage: Stage) -> None:
        reach = stage.reach()
        if not reach or not self._now:
            return
        offset = self._reader.offset_at(self.partition, self._now - reach)
        now = 0
        while offset < self._next:
            if self.stopping.is_set():
                raise LogAway("stopping")
            records, _ = self._reader.read(
                self.partition, offset, min(CHUNK * 4, self._next - offset)
            )
            records = [record for record in records if record.offset < self._next]
            if not records:
                return
            for at, run in runs(records, now):
                now = at
                self._rebuild_run(stage, run, now)
            offset = records[-1].offset + 1

    def _rebuild_run(self, stage: Stage, run: Sequence[Record], now: int) -> None:
        received, _ = decoded(stage.name, run, now)
        try:
            stage.rebuild(received, now)
        except Exception:
            if len(run) > 1:
                for record in run:
                    self._rebuild_run(stage, [record], now)
                return
            logger.warning("record skipped in rebuild", extra={"offset": run[0].offset})

    def _take(self, records: Sequence[Record]) -> None:
        for now, run in runs(records, self._now):
            received, letters = decoded(self.stage.name, run, now)
            try:
                step = self.stage.step(received, now)
            except Exception as fault:
                self._poisoned(run, now, fault)
                return
            self._failures = 0
            self._add(step, letters, now)
            self._now = now
            self._next = run[-1].offset + 1
            if step.reload:
                self._reload = True
                self._flush()
                return
        if self._outputs or self._next <= self._careful_until:
            self._flush()
        else:
            self._flush(only_if_due=True)

    def _poisoned(self, run: Sequence[Record], now: int, fault: Exception) -> None:
        """Step the records of a failed run one by one, and bury the one that fails alone."""
        logger.exception("stage failed", extra={"stage": self.stage.name, "offset": run[0].offset})
        self._failures += 1
        self._count("failed", 1)
        if self._failures > FAILURES_IN_A_ROW:
            raise StageBroken(f"{self._failures} failures in a row, the last: {fault!r}")
        until = run[-1].offset + 1
        alone = len(run) == 1 and self._committed == self._next
        self._load()
        self._careful_until = max(self._careful_until, until)
        if alone:
            letter = dead_letter(self.stage.name, run[0], Reason.STAGE_FAILED, repr(fault), now)
            self._add(Step(), [letter], now)
            self._now = max(self._now, now)
            self._next = until
            self._flush()

    def _add(self, step: Step, letters: Sequence[Output], now: int) -> None:
        producer = f"{self.stage.name}/{self.partition.number}"
        counts: Counter[str] = Counter(step.counts)
        for output in (*step.outputs, *letters):
            message = encoded(output, producer, now)
            if len(message.value) + len(message.key.encode()) > TOPICS[output.topic].max_message:
                # Nothing that comes after the step may fail again and again on the same record.
                logger.error("output too large", extra={"stage": producer, "id": output.id})
                counts["output too large"] += 1
                continue
            self._outputs.append(message)
        for change in step.changes:
            self._changes[change.key] = change
        for letter in letters:
            counts[f"dead:{letter.event.reason}"] += 1  # type: ignore[attr-defined]
        for name, amount in counts.items():
            self._count(name, amount)

    def _flush(self, only_if_due: bool = False, wake: Message | None = None) -> int | None:
        """Commit what was decided; the offset of the wake-up, if one goes along."""
        if self._pending is None:
            if self._next == self._committed and wake is None:
                self._since = time.monotonic()
                return None
            awaited = self._committed < self._awaited
            if only_if_due and not awaited and self._early():
                return None
            outputs = [*self._outputs, wake] if wake else self._outputs
            self._pending = StageCommit(
                self.stage.name, self.partition, self._next, outputs, list(self._changes.values())
            )
        self._crash(f"{self.stage.name}.before-commit")
        self.committing = time.monotonic()
        try:
            positions = self._log.commit_stage(self._pending)
        finally:
            self.committing = 0.0
        self._pending = None
        self._outputs = []
        self._changes = {}
        with self._moved:
            self._committed = self._next
            self._moved.notify_all()
        self._since = time.monotonic()
        self._crash(f"{self.stage.name}.after-commit")
        if self._reload:
            self._load()
        return positions[-1].offset if wake and positions else None

    def _early(self) -> bool:
        return time.monotonic() - self._since < self._commit_within

    def _wake(self) -> bool:
        """Append a wake-up once the stage's time has come; one outstanding at a time."""
        due = self.stage.wake_at()
        if due is None or self._next <= self._wake_offset or self._log.clock() < due:
            return False
        now = time.monotonic()
        if (due == self._woken[0] and now < self._woken[1]) or not self._reader.caught_up(
            self.partition, self._next
        ):
            return False
        # Where the log's clock is behind what we take it for, the same hour comes again.
        self._patient = min(self._patient * 2, 30.0) if due == self._woken[0] else 0.5
        self._woken = (due, now + self._patient)
        event = WakeUp(stage=self.stage.name, due=due)
        where = self.partition
        output = Output(where.topic, "", derived_id("wake", where, self.stage.name, due), event)
        message = encoded(output, f"{self.stage.name}/{where.number}", self._log.clock())
        offset = self._flush(wake=Message(where.topic, "", message.value, where.number))
        self._wake_offset = -1 if offset is None else offset
        return True

    def _patience(self) -> float:
        """Seconds until something is due by itself."""
        due = self.stage.wake_at()
        wait = 1.0 if due is None else (due - self._log.clock()) / 1000
        return min(max(wait, 0.001), self._commit_within or 1.0, 1.0)

"""What detectors on Kafka should have said: their input folded anew, with nobody in the way."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ops.runtime.intake import decoded, runs
from processors.detector import Detector
from schemas.alerts import AlertBatch
from schemas.stage import Output, Record
from schemas.topics import ALERTS, METRICS
from tests.support.kafka_file import KafkaFile

Said = tuple[str, str]
"""An announcement's id and what it says."""


def quietly(records: Sequence[Record]) -> Iterator[Output]:
    """All that a detector says to one partition's records, from the first to the last."""
    stage, state, now = Detector(), dict[str, bytes](), 0
    for at, run in runs(records, 0):
        received, _ = decoded("detector", run, at)
        step = stage.step(received, at)
        yield from step.outputs
        for change in step.changes:
            if change.value is None:
                state.pop(change.key, None)
            else:
                state[change.key] = change.value
        now = at
        if step.reload:
            stage = Detector()
            for key, value in state.items():
                stage.restore(key, value)
            until, reach = run[-1].offset, stage.reach()
            seen = [r for r in records if r.offset <= until and r.appended_at >= now - reach]
            for then, again in runs(seen, 0):
                stage.rebuild(decoded("detector", again, then)[0], then)


def announcements(log: KafkaFile) -> tuple[Counter[Said], Counter[Said]]:
    """What the alerts topic has, and what it should have: each announcement with its id, once."""
    by_partition: dict[int, list[Record]] = defaultdict(list)
    for record in log.records(METRICS):
        by_partition[record.partition.number].append(record)
    wanted = Counter(
        (output.id, repr(output.event))
        for records in by_partition.values()
        for output in quietly(records)
        if output.topic == ALERTS
    )
    found = Counter(
        (envelope.id, repr(envelope.event))
        for _, envelope in log.envelopes(ALERTS)
        if isinstance(envelope.event, AlertBatch)
    )
    return found, wanted

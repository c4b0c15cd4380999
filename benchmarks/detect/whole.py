"""The whole detector over ten minutes of a fleet: decode, duplicates, windows, arrival, rules."""

import time
from collections.abc import Iterator, Sequence

from benchmarks.detect.fleet import T0, Target
from benchmarks.detector import plan_records
from ops.runtime.intake import decoded, runs
from processors.detector import Detector
from schemas.envelope import Envelope, Producer
from schemas.stage import Partition, Record
from schemas.topics import CODEC, METRICS

WARM = 2
"""Minutes in which every series is new; Prometheus is not measured in them either."""


def cost(
    targets: Sequence[Target], rules: str, interval: int, minutes: int
) -> tuple[float, float, int]:
    """CPU seconds, those of two minutes before, and samples; hosts send one after the other."""
    detector = Detector()
    spent, before, samples = 0.0, 0.0, 0
    for record in _records(targets, rules, interval, minutes + WARM):
        began = time.process_time()
        for now, run in runs([record], 0):
            received, _ = decoded("detector", run, now)
            detector.step(received, now)
        cost = time.process_time() - began
        if record.appended_at < T0 + WARM * 60_000:
            before += cost
        else:
            spent += cost
            samples += len(targets[0].series)
    return spent, before, samples


def _records(
    targets: Sequence[Target], rules: str, interval: int, minutes: int
) -> Iterator[Record]:
    yield from plan_records(T0, rules, interval)
    partition = Partition(METRICS, 0)
    blocks = [target.block() for target in targets]
    offset = 1_000
    for turn in range(minutes * 60_000 // interval):
        for number, (target, block) in enumerate(zip(targets, blocks, strict=True)):
            at = T0 + turn * interval + number * interval // len(targets)
            offset += 1
            name = f"host-{target.key}"
            batch = target.batch(block, turn, at - 5)
            sent = Envelope(f"{number}/{turn}", Producer(name, 1, turn + 1), at - 2, batch)
            yield Record(partition, offset, at, name, CODEC.encode(sent))

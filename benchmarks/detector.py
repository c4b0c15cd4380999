"""Samples per CPU-second through the detector: decode, duplicates, windows, rules."""

from collections import Counter
from collections.abc import Iterator

from benchmarks.figures import Result, rate, spending
from ops.runtime.intake import decoded, runs
from processors.detector import Detector
from processors.rules_plan import RulesPlan
from schemas.envelope import Envelope, Producer
from schemas.labels import Labels
from schemas.metrics import metric_batch
from schemas.plan_pieces import cut
from schemas.series import pack_series
from schemas.stage import Partition, Record
from schemas.topics import CODEC, METRICS

HOSTS, PER_HOST, RULES = 20, 500, 20
INTERVAL = 10_000
T0 = 1_700_000_000_000


def rules(on_arrival: bool = True) -> str:
    """Twenty alert rules, each over one metric: thresholds and one-minute means."""
    lines = ["groups:", "- name: bench", "  interval: 15s", "  rules:"]
    if not on_arrival:
        lines.insert(2, "  evaluation: interval")
    for n in range(RULES):
        expr = f"metric_{n} > 1e9" if n % 2 else f"avg_over_time(metric_{n}[1m]) > 1e9"
        lines.append(f'  - {{alert: R{n}, expr: "{expr}"}}')
    return "\n".join(lines)


def series(host: int) -> list[Labels]:
    """The 500 series of a host: 20 metrics of 25 series."""
    return [
        (
            ("__name__", f"metric_{n % RULES}"),
            ("device", f"d{n // RULES}"),
            ("instance", f"host-{host:04d}"),
            ("job", "node"),
        )
        for n in range(PER_HOST)
    ]


def plan_records(start: int, text: str, interval: int = 15_000) -> list[Record]:
    """These rules as a plan, at the begin of a partition."""
    plan = RulesPlan(files=(("bench.yml", text),), evaluation_interval=interval).pack()
    return [
        Record(
            Partition(METRICS, 0),
            number,
            start,
            "",
            CODEC.encode(Envelope("plan", Producer("plans"), start, piece)),
        )
        for number, piece in enumerate(cut("detector", 1, plan))
    ]


def batches(minutes: float, start: int, hosts: int = HOSTS) -> Iterator[Record]:
    """A fleet's batches, encoded; hosts spread over the interval. All offsets are 0."""
    partition = Partition(METRICS, 0)
    blocks = [pack_series(series(host)) for host in range(hosts)]
    for tick in range(int(minutes * 60_000 / INTERVAL)):
        for host in range(hosts):
            at = start + tick * INTERVAL + host * INTERVAL // hosts
            values = [float((n * 7 + tick * 13 + host) % 1000) for n in range(PER_HOST)]
            name = f"host-{host:04d}"
            batch = metric_batch(name, blocks[host], values, [at - 5])
            sent = Envelope(f"{host}/{tick}", Producer(f"a{host}", 1, tick + 1), at - 2, batch)
            yield Record(partition, 0, at, name, CODEC.encode(sent))


def records(minutes: float, on_arrival: bool = True) -> list[Record]:
    """Plan and batches as the log gives them back."""
    found = [*plan_records(T0, rules(on_arrival)), *batches(minutes, T0)]
    return [record._replace(offset=offset) for offset, record in enumerate(found)]


def run(minutes: float = 20.0) -> Result:
    """500-sample batches, 10,000 series, 20 rules every 15 s, without and with arrival."""
    result = Result("Detector: decode to rules, 500-sample batches, 10,000 series, 20 rules")
    for on_arrival in (False, True):
        stream = records(minutes, on_arrival)
        detector = Detector()
        counts: Counter[str] = Counter()
        with spending() as spent:
            for at in range(0, len(stream), 500):
                for now, run_ in runs(stream[at : at + 500], 0):
                    received, _ = decoded("detector", run_, now)
                    counts.update(detector.step(received, now).counts)
        figure = rate((len(stream) - 1) * PER_HOST, spent.cpu)
        if not on_arrival:
            result.add("samples per CPU-second, rules at intervals", figure, "≥ 1,200,000")
            result.add("rule evaluations on the way", f"{counts['evaluations']:,}")
            continue
        result.add("samples per CPU-second, rules on arrival too", figure)
        result.add("evaluations on arrival", f"{counts['evaluations on arrival']:,}")
        result.add("bytes of windows per series", f"{detector.window_bytes / detector.series:,.0f}")
    return result

"""Samples per CPU-second through the detector: decode, duplicates, windows, rules."""

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


def rules() -> str:
    """Twenty alert rules, each over one metric: thresholds and one-minute means."""
    lines = ["groups:", "- name: bench", "  interval: 15s", "  rules:"]
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


def records(minutes: float) -> list[Record]:
    """A fleet's batches, encoded, as the log gives them back; hosts spread over the interval."""
    partition = Partition(METRICS, 0)
    blocks = [pack_series(series(host)) for host in range(HOSTS)]
    found: list[Record] = []
    plan = RulesPlan(files=(("bench.yml", rules()),)).pack()
    for piece in cut("detector", 1, plan):
        value = CODEC.encode(Envelope("plan", Producer("plans"), T0, piece))
        found.append(Record(partition, len(found), T0, "", value))
    for tick in range(int(minutes * 60_000 / INTERVAL)):
        for host in range(HOSTS):
            at = T0 + tick * INTERVAL + host * INTERVAL // HOSTS
            values = [float((n * 7 + tick * 13 + host) % 1000) for n in range(PER_HOST)]
            batch = metric_batch(f"host-{host:04d}", blocks[host], values, [at - 5])
            sent = Envelope(f"{host}/{tick}", Producer(f"a{host}", 1, tick + 1), at - 2, batch)
            found.append(Record(partition, len(found), at, "", CODEC.encode(sent)))
    return found


def run(minutes: float = 20.0) -> Result:
    """500-sample batches, 10,000 series, 20 rules every 15 s."""
    stream = records(minutes)
    detector = Detector()
    samples = (len(stream) - 1) * PER_HOST
    evaluations = 0
    with spending() as spent:
        for at in range(0, len(stream), 500):
            for now, run_ in runs(stream[at : at + 500], 0):
                received, _ = decoded("detector", run_, now)
                step = detector.step(received, now)
                evaluations += step.counts.get("evaluations", 0)
    result = Result("Detector: decode to rules, 500-sample batches, 10,000 series, 20 rules")
    result.add("samples per CPU-second", rate(samples, spent.cpu), "≥ 1,200,000")
    result.add("rule evaluations on the way", f"{evaluations:,}")
    result.add("bytes of windows per series", f"{detector.window_bytes / detector.series:,.0f}")
    return result

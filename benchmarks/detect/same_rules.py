"""The same 1,000 rules over 10,000 and 100,000 series."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from benchmarks.detect.fleet import Target, usage
from benchmarks.detect.ours import Ours
from benchmarks.detect.peer import Peer, running
from benchmarks.detect.table import Row

RULES = 1_000
GOAL = 20.0
EXPRESSIONS = {
    "threshold": 'res_usage{{g="{k}"}} > 200',
    "avg_over_time 1 m": 'avg_over_time(res_usage{{g="{k}"}}[1m]) > 200',
    "quantile_over_time 0.95 1 m": 'quantile_over_time(0.95, res_usage{{g="{k}"}}[1m]) > 200',
}
SIZES = ((1_000, "1s", 1_000, 60), (10_000, "2s", 2_000, 30))
"""Series of each of ten targets, the scrape interval (also in ms), samples in a minute."""


def rules(expression: str) -> str:
    """A group of 1,000 rules, each over its own series."""
    lines = "".join(
        f"  - {{alert: A{k}, expr: '{expression.format(k=k)}', for: 1m, "
        "labels: {severity: critical}}\n"
        for k in range(RULES)
    )
    return "groups:\n- name: g\n  interval: 5s\n  rules:\n" + lines


def run(_: Path | None, with_peer: bool) -> Iterator[Row]:
    """A row for each expression and size."""
    for each, scrape, interval, samples in SIZES:
        targets = usage(10, each)
        series = each * 10
        with TemporaryDirectory(dir=".") as name:
            if not with_peer:
                yield from _rows(None, targets, series, interval, samples)
                continue
            with running(Path(name), targets, scrape) as peer:
                sleep(62)
                yield from _rows(peer, targets, series, interval, samples)


def _rows(
    peer: Peer | None, targets: Sequence[Target], series: int, interval: int, samples: int
) -> Iterator[Row]:
    idle = peer.cost(15) if peer is not None else None
    for title, expression in EXPRESSIONS.items():
        text = rules(expression)
        theirs = None
        if peer is not None and idle is not None:
            theirs = peer.rules_cost(text, 5, 20, idle) / series * 1e6
        ours = Ours(targets, {"rules.yml": text}, interval)
        ours.take(samples + 5)
        yield Row(
            f"{RULES:,} rules, {series:,} series, {samples} samples in the window: {title}",
            "µs a series",
            theirs,
            ours.cost() / series * 1e6,
            GOAL,
        )

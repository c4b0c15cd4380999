"""Cost of a sample and of a series' evaluation from a thousand to a million series, as a plot."""

import time
from collections.abc import Iterator, Mapping, Sequence
from math import log10
from pathlib import Path

from benchmarks.detect.fleet import usage
from benchmarks.detect.ours import Ours
from benchmarks.detect.table import Row

SIZES = (1_000, 10_000, 100_000, 1_000_000)
RULES, TURNS, INTERVAL = 100, 9, 10_000
PLOT = Path("docs/images/growth.svg")
EXPRESSIONS = {
    "threshold": 'res_usage{{g="{k}"}} > 200',
    "avg_over_time 1 m": 'avg_over_time(res_usage{{g="{k}"}}[1m]) > 200',
}
COLOURS = ("#4269d0", "#d9480f", "#2b8a3e")
WIDTH, HEIGHT, LEFT, TOP = 640, 360, 64, 28


def run(_: Path | None, __: bool) -> Iterator[Row]:
    """Rows, and the plot."""
    lines: dict[str, list[float]] = {"a sample": [], **{name: [] for name in EXPRESSIONS}}
    for size in SIZES:
        hosts = max(1, size // 1_000)
        targets = usage(hosts, size // hosts, groups=RULES)
        for name, expression in EXPRESSIONS.items():
            ours = Ours(targets, {"rules.yml": _rules(expression)}, INTERVAL)
            ours.take(TURNS)
            if name == "threshold":
                began = time.process_time()
                ours.take(2)
                lines["a sample"].append((time.process_time() - began) / size / 2 * 1e9)
            lines[name].append(ours.cost(3) / size * 1e9)
    PLOT.write_text(plot(lines))
    for name, found in lines.items():
        for size, value in zip(SIZES, found, strict=True):
            what = name if name == "a sample" else f"a series: {name}"
            yield Row(f"growth, {size:,} series, {what}", "ns", None, value)


def _rules(expression: str) -> str:
    lines = "".join(
        f"  - {{alert: A{k}, expr: '{expression.format(k=k)}'}}\n" for k in range(RULES)
    )
    return "groups:\n- name: g\n  rules:\n" + lines


def plot(lines: Mapping[str, Sequence[float]]) -> str:
    """An SVG with both axes logarithmic."""
    top = 10 ** (int(log10(max(max(each) for each in lines.values()))) + 1)
    low = 10 ** int(log10(min(min(each) for each in lines.values())))

    def x(size: float) -> float:
        return LEFT + (log10(size) - 3) / 3 * (WIDTH - LEFT - 150)

    def y(value: float) -> float:
        return HEIGHT - 40 - (log10(value / low) / log10(top / low)) * (HEIGHT - 40 - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="16">CPU nanoseconds</text>',
    ]
    grid = low
    while grid <= top:
        parts.append(
            f'<path d="M{LEFT} {y(grid):.0f}H{x(1e6):.0f}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{y(grid) + 4:.0f}" text-anchor="end">{grid:,.0f}</text>'
        )
        grid *= 10
    for size in SIZES:
        parts.append(
            f'<text x="{x(size):.0f}" y="{HEIGHT - 20}" text-anchor="middle">{size:,}</text>'
        )
    parts.append(f'<text x="{x(3e4):.0f}" y="{HEIGHT - 4}" text-anchor="middle">series</text>')
    for (name, values), colour in zip(lines.items(), COLOURS, strict=True):
        points = " ".join(
            f"{x(size):.0f},{y(value):.0f}" for size, value in zip(SIZES, values, strict=True)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{x(1e6) + 8:.0f}" y="{y(values[-1]) + 4:.0f}" fill="{colour}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"

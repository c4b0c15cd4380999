"""`make bench-notify`: what alerts and pages cost here and in Alertmanager, in one run."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.notify.bus import bus
from benchmarks.notify.contestants import TOCSIN, Contestant, contestants
from benchmarks.notify.measures import Figures, calls, ingest, latency, storm
from benchmarks.notify.sink import Sink, sink
from benchmarks.notify.table import medians, table

MEASURES: dict[str, tuple[Callable[[Contestant, Sink], Figures], int]] = {
    "ingest": (ingest, 3),
    "storm": (storm, 3),
    "latency": (latency, 1),
    "calls": (calls, 1),
}
BUS, BUS_REPEATS = "bus", 3


def main(arguments: list[str]) -> int:
    """Contestants take turns within each repeat; medians are printed, every figure is written."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notify", description=__doc__)
    parser.add_argument(
        "measures", nargs="*", help=f"of {', '.join((*MEASURES, BUS))}; default all"
    )
    parser.add_argument("--only", help="the one contestant whose name begins so")
    parser.add_argument("--json", type=Path, help="where every figure is written")
    parser.add_argument("--repeats", type=int, help="instead of each measure's own")
    given = parser.parse_args(arguments)
    wanted = given.measures or [*MEASURES, BUS]
    if unknown := set(wanted) - {*MEASURES, BUS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    found, missing = contestants()
    chosen = [one for one in found if one.name.startswith(given.only or "")]
    for line in missing:
        print(line, file=sys.stderr)
    runs: dict[str, list[Figures]] = {one.name: [] for one in chosen}
    began, failed = time.monotonic(), False
    with sink() as receiver:
        for name in wanted:
            measure, repeats = MEASURES.get(name, (None, BUS_REPEATS))
            for _ in range(given.repeats or repeats):
                if measure is None:
                    runs.setdefault(TOCSIN, []).append(bus())
                    continue
                for one in chosen:
                    try:
                        runs[one.name].append(measure(one, receiver))
                    except RuntimeError as fault:
                        print(f"{name}, {one.name}: {fault}", file=sys.stderr)
                        failed = True
            print(f"{name} after {time.monotonic() - began:.0f} s", file=sys.stderr)
    if given.json:
        given.json.write_text(json.dumps(runs, indent=1, ensure_ascii=False) + "\n")
    print(table(medians(runs)))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

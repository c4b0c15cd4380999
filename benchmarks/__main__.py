"""Runs every benchmark, or those named, and prints their tables as Markdown."""

import platform
import sys
from importlib.metadata import version

from benchmarks import detector, historian, latency, log, memory

BENCHMARKS = {
    "detector": detector.run,
    "log": log.run,
    "historian": historian.run,
    "latency": latency.run,
    "memory": memory.run,
}


def main(names: list[str]) -> int:
    """Exit code 2 for a name that is none."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    print(
        f"Python {platform.python_version()}, numpy {version('numpy')}, "
        f"chdb {version('chdb')}, {platform.system()} {platform.release()}\n"
    )
    for name in names or BENCHMARKS:
        print(BENCHMARKS[name]().text(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

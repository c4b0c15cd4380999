"""Starts a broker, runs every benchmark or those named, and prints their tables as Markdown."""

import platform
import signal
import sys
from importlib.metadata import version

from benchmarks.kafka import detector, floor, historian, latency, rebuild, router
from benchmarks.kafka.running import CannotRun, broker

BENCHMARKS = {
    "detector": detector.run,
    "floor": floor.run,
    "router": router.run,
    "latency": latency.run,
    "rebuild": rebuild.run,
    "historian": historian.run,
}
QUICK = "--quick"


def main(arguments: list[str]) -> int:
    """Exit code 2 for a name that is none, 3 without a broker. `--quick` takes small backlogs."""
    names = [argument for argument in arguments if argument != QUICK]
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    print(
        f"Python {platform.python_version()}, faust-streaming {version('faust-streaming')}, "
        f"kafka-python {version('kafka-python')}, {platform.system()} {platform.release()}\n"
    )
    # So that what was started ends too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with broker() as made:
            for name in names or BENCHMARKS:
                print(BENCHMARKS[name](made, QUICK in arguments).text(), flush=True)
    except CannotRun as why:
        print(why, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the comparison, or the parts named, and prints a table as Markdown."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.detect import growth, hosts, latency, memory, mixed, same_rules
from benchmarks.detect.peer import binary
from benchmarks.detect.table import HEAD, Row

PARTS: dict[str, Callable[[Path | None, bool], Iterator[Row]]] = {
    "rules": same_rules.run,
    "mixed": mixed.run,
    "hosts": hosts.run,
    "memory": memory.run,
    "growth": growth.run,
    "latency": latency.run,
}
OPTION = "--rules="


def main(arguments: list[str]) -> int:
    """Exit code 2 for a part that is none."""
    with_peer = "--alone" not in arguments and binary() is not None
    names = [each for each in arguments if not each.startswith("--")]
    if unknown := [name for name in names if name not in PARTS]:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    if not with_peer:
        print("Without Prometheus (`make peers` builds it, PROMETHEUS names it): ours alone.\n")
    directory = next((Path(a.removeprefix(OPTION)) for a in arguments if OPTION in a), None)
    if directory is None:
        print(f"Without {OPTION}DIR no rules that people publish: mixed, hosts are left out.\n")
    print(HEAD, flush=True)
    for name in names or PARTS:
        for row in PARTS[name](directory, with_peer):
            print(row.text(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Linux's own texts under /proc, in node_exporter's names: pure."""

import re
from collections.abc import Mapping

Figures = Mapping[str, Mapping[str, float]]
"""Device to metric suffix to value."""

_BRACKETS = re.compile(r"\((.*)\)")
_KERNEL = {
    "intr": "node_intr_total",
    "ctxt": "node_context_switches_total",
    "processes": "node_forks_total",
    "procs_running": "node_procs_running",
    "procs_blocked": "node_procs_blocked",
}


def memory(meminfo: str) -> dict[str, float]:
    """/proc/meminfo: kB become bytes, `Active(anon)` becomes `Active_anon`."""
    figures = {}
    for line in meminfo.splitlines():
        name, _, rest = line.partition(":")
        number, _, unit = rest.strip().partition(" ")
        if not number.isdecimal():
            continue
        metric = "node_memory_" + _BRACKETS.sub(r"_\1", name)
        if unit == "kB":
            figures[metric + "_bytes"] = float(number) * 1_024
        else:
            figures[metric] = float(number)
    return figures


def kernel_figures(stat: str) -> dict[str, float]:
    """The lines of /proc/stat that are no CPU's."""
    figures = {}
    for line in stat.splitlines():
        name, _, rest = line.partition(" ")
        metric = _KERNEL.get(name)
        number = rest.split(" ", 1)[0]
        if metric and number.isdecimal():
            figures[metric] = float(number)
    return figures


def file_handles(file_nr: str) -> dict[str, float]:
    """/proc/sys/fs/file-nr: allocated, unused, maximum."""
    numbers = file_nr.split()
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
        return {}
    return {
        "node_filefd_allocated": float(numbers[0]),
        "node_filefd_maximum": float(numbers[2]),
    }

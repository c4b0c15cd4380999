"""The door to psutil and /proc: one reading of this host."""

import logging
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import psutil

from collectors.sources.host import (
    CPU_MODES,
    JOB,
    HostReading,
    Mount,
    is_disk,
    is_watched,
    observe_host,
)
from collectors.sources.mounts import MountSizes
from collectors.sources.naming import Naming
from collectors.sources.source import Observation

log = logging.getLogger(__name__)
T = TypeVar("T")

_DISK = {
    "read_count": ("reads_completed_total", 1.0),
    "write_count": ("writes_completed_total", 1.0),
    "read_bytes": ("read_bytes_total", 1.0),
    "write_bytes": ("written_bytes_total", 1.0),
    "read_merged_count": ("reads_merged_total", 1.0),
    "write_merged_count": ("writes_merged_total", 1.0),
    "read_time": ("read_time_seconds_total", 1e-3),
    "write_time": ("write_time_seconds_total", 1e-3),
    "busy_time": ("io_time_seconds_total", 1e-3),
}
_NETWORK = {
    "bytes_recv": "receive_bytes_total",
    "packets_recv": "receive_packets_total",
    "errin": "receive_errs_total",
    "dropin": "receive_drop_total",
    "bytes_sent": "transmit_bytes_total",
    "packets_sent": "transmit_packets_total",
    "errout": "transmit_errs_total",
    "dropout": "transmit_drop_total",
}


class HostSource:
    """This host, part by part: a part that fails is counted, logged once, and stops no other."""

    def __init__(
        self,
        instance: str,
        interval: timedelta,
        *,
        name: str = "host",
        sizes: MountSizes | None = None,
        root: Path = Path("/"),
    ) -> None:
        self.name = name
        self.instance = instance
        self.job = JOB
        self.interval = interval
        self._named = Naming(instance, JOB)
        self._sizes = sizes or MountSizes()
        self._root = root
        self._failing: dict[str, str] = {}

    def read(self, at: int) -> HostReading:
        """Every part that can be read."""
        parts: dict[str, tuple[bool, float]] = {}

        def part(name: str, read: Callable[[], T], absent: T) -> T:
            begun = time.perf_counter()
            try:
                found = read()
            except Exception as fault:  # psutil, the kernel and drivers raise what they like
                parts[name] = (False, time.perf_counter() - begun)
                self._failed(name, fault)
                return absent
            parts[name] = (True, time.perf_counter() - begun)
            if self._failing.pop(name, None):
                log.info("part of the host recovered", extra={"part": name})
            return found

        return HostReading(
            at=at,
            cpus=part("cpu", _cpus, ()),
            mounts=part("filesystem", self._mounts, ()),
            disks=part("diskstats", _disks, {}),
            networks=part("netdev", self._networks, {}),
            load=part("loadavg", os.getloadavg, None),
            uname=part("uname", self._uname, {}),
            boot_time=part("boottime", psutil.boot_time, None),
            meminfo=part("meminfo", self._meminfo, ""),
            stat=part("stat", lambda: self._text("proc/stat"), ""),
            file_nr=part("filefd", lambda: self._text("proc/sys/fs/file-nr"), ""),
            clock=part("time", time.time, None),
            parts=parts,
        )

    def observe(self, reading: HostReading) -> Observation:
        """node_exporter's samples."""
        return observe_host(reading, self._named)

    def _failed(self, part: str, fault: Exception) -> None:
        said = f"{type(fault).__name__}: {fault}"
        if self._failing.get(part) != said:
            log.warning("part of the host failed", extra={"part": part, "error": said})
        self._failing[part] = said

    def _text(self, path: str) -> str:
        """A file of the kernel's; empty where the kernel has none, as on macOS."""
        try:
            return (self._root / path).read_text("utf-8", "surrogateescape")
        except FileNotFoundError:
            return ""

    def _meminfo(self) -> str:
        text = self._text("proc/meminfo")
        if text:
            return text
        found, swap = psutil.virtual_memory(), psutil.swap_memory()
        figures = {
            "MemTotal": found.total,
            "MemFree": found.free,
            "MemAvailable": found.available,
            "SwapTotal": swap.total,
            "SwapFree": swap.free,
        }
        return "".join(f"{name}: {size // 1_024} kB\n" for name, size in figures.items())

    def _mounts(self) -> tuple[Mount, ...]:
        # A later mount on the same point hides the earlier; node_exporter keeps one of each too.
        watched = {
            (each.device, each.fstype, each.mountpoint): Mount(
                device=each.device,
                mountpoint=each.mountpoint,
                fstype=each.fstype,
                readonly="ro" in each.opts.split(","),
            )
            for each in psutil.disk_partitions(all=True)
            if is_watched(each.mountpoint, each.fstype)
        }
        return self._sizes.measure(tuple(watched.values()))

    def _networks(self) -> dict[str, dict[str, float]]:
        found = {}
        for device, counters in psutil.net_io_counters(pernic=True, nowrap=False).items():
            figures = _renamed(counters, {name: (to, 1.0) for name, to in _NETWORK.items()})
            state = self._text(f"sys/class/net/{device}/operstate").strip()
            if state:
                figures["up"] = float(state == "up")
            found[device] = figures
        return found

    def _uname(self) -> dict[str, str]:
        found = os.uname()
        return {
            "sysname": found.sysname,
            "release": found.release,
            "version": found.version,
            "machine": found.machine,
            "nodename": found.nodename,
            "domainname": self._text("proc/sys/kernel/domainname").strip() or "(none)",
        }


def _cpus() -> tuple[dict[str, float], ...]:
    return tuple(
        {mode: getattr(times, mode) for mode in CPU_MODES if hasattr(times, mode)}
        for times in psutil.cpu_times(percpu=True)
    )


def _disks() -> dict[str, dict[str, float]]:
    return {
        device: _renamed(counters, _DISK)
        for device, counters in psutil.disk_io_counters(perdisk=True, nowrap=False).items()
        if is_disk(device)
    }


# psutil's tuples have other fields on other systems, hence Any.
def _renamed(counters: Any, names: dict[str, tuple[str, float]]) -> dict[str, float]:
    return {
        to: getattr(counters, name) * scale
        for name, (to, scale) in names.items()
        if hasattr(counters, name)
    }

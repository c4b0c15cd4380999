"""A host as node_exporter shows it: some 600 series, by its default collectors."""

import numpy as np

from benchmarks.detect.fleet import Target

_MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
_DISK = [
    "discard_time_seconds_total",
    "discarded_sectors_total",
    "discards_completed_total",
    "discards_merged_total",
    "flush_requests_time_seconds_total",
    "flush_requests_total",
    "io_now",
    "io_time_seconds_total",
    "io_time_weighted_seconds_total",
    "read_bytes_total",
    "read_time_seconds_total",
    "reads_completed_total",
    "reads_merged_total",
    "write_time_seconds_total",
    "writes_completed_total",
    "writes_merged_total",
    "written_bytes_total",
    "info",
]
_FILES = [
    "avail_bytes",
    "device_error",
    "files",
    "files_free",
    "free_bytes",
    "readonly",
    "size_bytes",
    "mount_info",
]
_NET = [
    f"{way}_{what}_total"
    for way in ("receive", "transmit")
    for what in ("bytes", "compressed", "drop", "errs", "fifo", "packets", "multicast", "frame")
] + [
    "carrier",
    "carrier_changes_total",
    "carrier_down_changes_total",
    "carrier_up_changes_total",
    "address_assign_type",
    "device_id",
    "dormant",
    "flags",
    "iface_id",
    "iface_link",
    "iface_link_mode",
    "info",
    "mtu_bytes",
    "name_assign_type",
    "net_dev_group",
    "protocol_type",
    "transmit_queue_length",
    "up",
]
_MEMORY = [
    "Active",
    "Active_anon",
    "Active_file",
    "AnonHugePages",
    "AnonPages",
    "Bounce",
    "Buffers",
    "Cached",
    "CommitLimit",
    "Committed_AS",
    "DirectMap2M",
    "DirectMap4k",
    "Dirty",
    "HugePages_Free",
    "HugePages_Rsvd",
    "HugePages_Surp",
    "HugePages_Total",
    "Hugepagesize",
    "Inactive",
    "Inactive_anon",
    "Inactive_file",
    "KReclaimable",
    "KernelStack",
    "Mapped",
    "MemAvailable",
    "MemFree",
    "MemTotal",
    "Mlocked",
    "NFS_Unstable",
    "PageTables",
    "Percpu",
    "SReclaimable",
    "SUnreclaim",
    "Shmem",
    "ShmemHugePages",
    "Slab",
    "SwapCached",
    "SwapFree",
    "SwapTotal",
    "Unevictable",
    "VmallocChunk",
    "VmallocTotal",
    "VmallocUsed",
    "Writeback",
    "WritebackTmp",
]
_PLAIN = [
    "boot_time_seconds",
    "context_switches_total",
    "entropy_available_bits",
    "filefd_allocated",
    "filefd_maximum",
    "forks_total",
    "intr_total",
    "load1",
    "load5",
    "load15",
    "nf_conntrack_entries",
    "nf_conntrack_entries_limit",
    "procs_blocked",
    "procs_running",
    "textfile_scrape_error",
    "time_seconds",
    "timex_offset_seconds",
    "timex_sync_status",
    "timex_maxerror_seconds",
    "timex_estimated_error_seconds",
    "timex_frequency_adjustment_ratio",
    "timex_loop_time_constant",
    "timex_status",
    "timex_tick_seconds",
    "vmstat_oom_kill",
    "vmstat_pgfault",
    "vmstat_pgmajfault",
    "vmstat_pgpgin",
    "vmstat_pgpgout",
    "vmstat_pswpin",
    "vmstat_pswpout",
    "pressure_cpu_waiting_seconds_total",
    "pressure_io_stalled_seconds_total",
    "pressure_io_waiting_seconds_total",
    "pressure_memory_stalled_seconds_total",
    "pressure_memory_waiting_seconds_total",
    "bonding_slaves",
    "bonding_active",
]


def shape(cpus: int = 8) -> tuple[tuple[str, dict[str, str]], ...]:
    """The series of one host."""
    found: list[tuple[str, dict[str, str]]] = []
    for cpu in map(str, range(cpus)):
        found += [("cpu_seconds_total", {"cpu": cpu, "mode": mode}) for mode in _MODES]
        found += [("cpu_guest_seconds_total", {"cpu": cpu, "mode": m}) for m in ("nice", "user")]
        found += [
            (f"softnet_{what}_total", {"cpu": cpu}) for what in ("processed", "dropped", "squeezed")
        ]
    for device in ("sda", "sdb", "dm-0", "nvme0n1"):
        found += [(f"disk_{what}", {"device": device}) for what in _DISK]
    for number, mount in enumerate(("/", "/boot", "/var", "/home", "/run", "/tmp")):
        labels = {"device": f"/dev/sda{number}", "fstype": "ext4", "mountpoint": mount}
        found += [(f"filesystem_{what}", labels) for what in _FILES]
    for device in ("lo", "eth0", "eth1", "docker0", "bond0"):
        found += [(f"network_{what}", {"device": device}) for what in _NET]
    found += [(f"memory_{what}_bytes", {}) for what in _MEMORY]
    found += [(what, {}) for what in _PLAIN]
    for state in ("active", "failed", "spare"):
        found.append(("md_disks", {"device": "md0", "state": state}))
    found.append(("md_disks_required", {"device": "md0"}))
    states = ("activating", "active", "deactivating", "failed", "inactive")
    for unit in range(12):
        named = {"name": f"unit-{unit}.service", "type": "simple"}
        found += [("systemd_unit_state", {**named, "state": state}) for state in states]
        found.append(("systemd_service_restart_total", {"name": f"unit-{unit}.service"}))
    return tuple((f"node_{name}", labels) for name, labels in found)


def hosts(count: int, turns: int) -> list[Target]:
    """Hosts on which nothing is wrong: counters grow, gauges move a little."""
    series = shape()
    draw = np.random.default_rng(3)
    level = np.array([_level(name, labels) for name, labels in series])
    grows = np.array([name.endswith("_total") for name, _ in series])
    variants = [
        np.where(
            grows,
            level * (1 + turn),
            np.where(level > 10, np.round(level * draw.uniform(0.98, 1, len(level)), 3), level),
        )
        for turn in range(turns)
    ]
    return [Target(f"{n:04d}", series, variants, job="node-exporter") for n in range(count)]


def _level(name: str, labels: dict[str, str]) -> float:
    """What keeps the published rules quiet."""
    if labels.get("state") == "failed" or "error" in name or "errs" in name or "drop" in name:
        return 0.0
    if labels.get("mode") == "idle":
        return 4.0
    for part, level in (
        ("filefd_allocated", 1e3),
        ("conntrack_entries_limit", 1e5),
        ("restart_total", 0.0),
        ("weighted", 0.1),
        ("pgmajfault", 1.0),
        ("offset", 0.001),
        ("readonly", 0.0),
        ("size_bytes", 1e11),
        ("avail_bytes", 6e10),
        ("filesystem_files_free", 6e6),
        ("filesystem_files", 1e7),
        ("filefd_maximum", 1e6),
        ("MemTotal", 1.6e10),
        ("MemAvailable", 8e9),
        ("memory", 1e9),
        ("cpu_seconds", 0.1),
        ("bytes_total", 1e6),
    ):
        if part in name:
            return level
    return 1.0

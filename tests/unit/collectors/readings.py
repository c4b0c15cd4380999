"""Readings as they were recorded, for tests of what is pure."""

from collectors.sources.host import HostReading, Mount, Sizes

MEMINFO = """MemTotal:       16384000 kB
MemFree:         1024000 kB
MemAvailable:    8192000 kB
Buffers:          204800 kB
Cached:          4096000 kB
Active(anon):     512000 kB
HugePages_Total:       3
Odd line without number
DirectMap4k:         abc kB
"""
STAT = """cpu  100 0 50 1000 5 0 1 0 0 0
cpu0 100 0 50 1000 5 0 1 0 0 0
intr 12345 1 2 3
ctxt 67890
btime 1700000000
processes 4321
procs_running 2
procs_blocked 1
softirq 55 1 2
"""
DISK = {"reads_completed_total": 10.0, "read_bytes_total": 4096.0, "io_time_seconds_total": 0.5}
NETWORK = {"receive_bytes_total": 1.0, "transmit_bytes_total": 2.0, "up": 1.0}

HOST = HostReading(
    at=1_700_000_000_000,
    cpus=({"user": 1.0, "idle": 10.0}, {"user": 2.0, "idle": 9.0}),
    mounts=(
        Mount("/dev/sda1", "/", "ext4", False, Sizes(1_000, 400, 300, 64, 32)),
        Mount("nas:/x", "/mnt/nas", "nfs4", True, None),
    ),
    disks={"sda": DISK},
    networks={"eth0": NETWORK},
    load=(0.1, 0.2, 0.3),
    uname={"sysname": "Linux", "nodename": "web-1", "domainname": "(none)"},
    boot_time=1_700_000_000.0,
    meminfo=MEMINFO,
    stat=STAT,
    file_nr="1216\t0\t9223372036854775807\n",
    clock=1_700_000_000.5,
    parts={"cpu": (True, 0.001), "netdev": (False, 0.002)},
)

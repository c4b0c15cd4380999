"""`python -m ops.deploy.kafka start|stop|fetch`: a broker on this machine that outlives the shell.

Exit codes: 0 fine · 1 nothing runs, or something does on another port · 2 it cannot be done here
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from ops.deploy.kafka.broker import Broker, BrokerFailed, fetch
from schemas.errors import Refused

ROOT = Path(__file__).parents[3]
STOPS_WITHIN = 20.0
"""Seconds to end in good order; afterwards it is ended by force."""


def main(argv: list[str] | None = None) -> int:
    """One verb; the exit code is the answer."""
    parser = argparse.ArgumentParser(prog="python -m ops.deploy.kafka", description=__doc__)
    parser.add_argument("verb", choices=("start", "stop", "fetch"))
    parser.add_argument("--port", type=int, default=0, help="else a free one")
    parser.add_argument("--data", type=Path, default=ROOT / "tocsin-kafka", metavar="DIR")
    parser.add_argument("--libs", type=Path, default=ROOT / ".kafka" / "libs", metavar="DIR")
    arguments = parser.parse_args(argv)
    try:
        if arguments.verb == "stop":
            return stop(arguments.data)
        fetch(arguments.libs)
        if arguments.verb == "start":
            return start(arguments.data, arguments.libs, arguments.port)
    except (Refused, BrokerFailed) as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


def start(directory: Path, libs: Path, port: int) -> int:
    """Print the setting that leads workers to it, also if it runs. 1 if on another port."""
    if running(directory):
        where = (directory / "address").read_text("utf-8").strip()
        print(f"a broker runs on {directory} already: {where}", file=sys.stderr)
        if port and not where.endswith(f":{port}"):
            return 1
        print(f"export TOCSIN__KAFKA__BOOTSTRAP={where}")
        return 0
    broker = Broker(directory, libs, port, tied=False)
    try:
        broker.start()
    except BaseException:
        # Ctrl-C too: nobody would know of it.
        broker.kill()
        raise
    assert broker.process is not None
    (directory / "pid").write_text(f"{broker.process.pid}\n", "utf-8")
    (directory / "address").write_text(f"{broker.address}\n", "utf-8")
    # The parent of a daemon does not wait for it.
    broker.process.returncode = 0
    print(f"export TOCSIN__KAFKA__BOOTSTRAP={broker.address}")
    return 0


def stop(directory: Path) -> int:
    """End that broker and no other process. 1 if none runs on this directory."""
    pid = running(directory)
    if not pid:
        print(f"no broker runs on {directory}", file=sys.stderr)
        return 1
    os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + STOPS_WITHIN
    while running(directory):
        if time.monotonic() > ends:
            os.kill(pid, signal.SIGKILL)
            ends += STOPS_WITHIN
        time.sleep(0.05)
    for name in ("pid", "address"):
        (directory / name).unlink(missing_ok=True)
    return 0


def running(directory: Path) -> int:
    """The pid of the broker on this directory, 0 if there is none.

    A pid is used again by others after a while, so the process has to be that Java with that file.
    """
    try:
        pid = int((directory / "pid").read_text("utf-8"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return 0
    ours = os.fsencode(directory.absolute() / "server.properties")
    return pid if {b"kafka.Kafka", ours} <= {*words} else 0


if __name__ == "__main__":
    raise SystemExit(main())

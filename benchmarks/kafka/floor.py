"""Plain Faust with its own settings, whose agent only decodes: what a detector could be built on.

As a process of its own: `python -m benchmarks.kafka.floor BROKER TOPIC COUNT` prints the CPU
seconds from the first message to the last.
"""

import asyncio
import os
import subprocess
import sys
import time

import faust

from benchmarks.detector import PER_HOST, batches
from benchmarks.figures import Result, rate
from benchmarks.kafka.backlog import backlog
from benchmarks.kafka.running import PATIENCE, ROOT, place
from ops.deploy.kafka.broker import Broker
from schemas.topics import CODEC, METRICS


def run(made: Broker, quick: bool) -> Result:
    """The detector's batches of one partition."""
    records = list(batches(6.0 if quick else 60.0, time.time_ns() // 1_000_000))
    with place(made) as here, backlog(here.clients, 1) as shown:
        shown.hide(records)
        shown.reveal()
        command = [sys.executable, "-m", "benchmarks.kafka.floor"]
        given = [made.address, here.clients.named(METRICS), str(len(records))]
        told = subprocess.run(
            [*command, *given], cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE
        )
    result = Result("Plain Faust, an agent that only decodes: the same batches")
    samples = len(records) * PER_HOST
    result.add("samples per CPU-second", rate(samples, float(told.stdout)))
    return result


def decode(address: str, topic: str, count: int) -> None:
    """Until the last message."""
    app = faust.App("floor", broker=f"kafka://{address}", store="memory://", web_enabled=False)
    source = app.topic(topic, value_type=bytes, value_serializer="raw")
    spent = 0.0
    left = count
    done = asyncio.Event()

    @app.agent(source)
    async def decoding(stream):  # type: ignore[no-untyped-def]
        nonlocal spent, left
        async for value in stream:
            if left == count:
                spent = -time.process_time()
            CODEC.decode(value)
            left -= 1
            if not left:
                spent += time.process_time()
                done.set()

    async def main() -> None:
        await app.start()
        await asyncio.wait_for(done.wait(), PATIENCE)
        print(spent, flush=True)
        os._exit(0)

    asyncio.run(main())


if __name__ == "__main__":
    decode(sys.argv[1], sys.argv[2], int(sys.argv[3]))

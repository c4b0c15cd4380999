"""From a sample's publication to the webhook's receipt: detector, router and courier on Kafka."""

import time

from benchmarks.figures import Result
from benchmarks.kafka.running import place, wait
from benchmarks.latency import ROUTES, RULES, add_latencies, breaches, receiver
from ops.deploy.kafka.broker import Broker
from ops.transport.kafka_publish import KafkaPublish

PARTITIONS = 8


def run(made: Broker, quick: bool) -> Result:
    """The embedded benchmark's breaches, published as an agent does, each worker a process."""
    count = 20 if quick else 200
    given = {"evaluation_interval": "1s", "rules": ["rules.yml"], "routes": "routes.yml"}
    with receiver() as pages, place(made, PARTITIONS, **given) as here:
        (here.home / "rules.yml").write_text(RULES)
        (here.home / "routes.yml").write_text(ROUTES.format(port=pages.server_address[1]))
        workers = [here.worker(stage) for stage in ("detector", "router", "courier")]
        here.tocsin("apply")
        wait(lambda: all(worker.ready for worker in workers), "workers ready")
        publish = KafkaPublish(here.clients)
        before = [worker.cpu for worker in workers]
        began = time.monotonic()
        took = breaches(publish, pages, count)
        wall = time.monotonic() - began
        used = [(worker.cpu - cpu) / wall for worker, cpu in zip(workers, before, strict=True)]
        publish.close()
    result = Result("Publication to webhook on Kafka: evaluation interval 1 s, group_wait 0")
    add_latencies(result, took)
    cores = " / ".join(f"{cpu:.2f}" for cpu in used)
    result.add("CPU of detector (8 partitions) / router / courier, cores", cores)
    return result

"""docs/kafka.md says of topics and permissions what the tables in the code say."""

from collections.abc import Iterator
from pathlib import Path

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_acls import GRANTS
from ops.transport.kafka_topic_table import wanted

PAGE = Path(__file__).parents[3] / "docs" / "kafka.md"


def permissions() -> Iterator[str]:
    """A row for each worker, kind of thing and operations."""
    for worker, grants in GRANTS.items():
        rows: dict[tuple[str, str], list[str]] = {}
        for grant in grants:
            name = f"`{grant.name}{'*' if grant.prefixed else ''}`"
            rows.setdefault((grant.kind, ", ".join(grant.operations)), []).append(name)
        for (kind, operations), names in rows.items():
            yield f"| `{worker}` | {kind} | {', '.join(names)} | {operations} |"


def topics() -> Iterator[str]:
    for name, topic in wanted(KafkaSettings()).items():
        kept = "the newest of each key"
        if topic.configs["cleanup.policy"] == "delete":
            kept = f"{int(topic.configs['retention.ms']) // 3_600_000} hours"
        count = "`kafka.partitions`" if topic.partitions > 1 else "1"
        yield f"| `{name}` | {count} | {kept} |"


def test_every_permission_is_listed_and_no_other() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    kinds = ("| topic |", "| group |", "| transactional id |")
    assert [line for line in lines if any(kind in line for kind in kinds)] == [*permissions()]


def test_every_topic_is_listed_as_it_is_made() -> None:
    text = PAGE.read_text("utf-8")
    assert [row for row in topics() if row not in text] == []


if __name__ == "__main__":
    print("\n".join([*topics(), "", *permissions()]))

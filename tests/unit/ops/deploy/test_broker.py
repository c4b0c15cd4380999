"""Whether a broker can run here, by what is installed."""

from pathlib import Path

import pytest

from ops.deploy.kafka.broker import missing


def install(directory: Path, tool: str, script: str) -> None:
    file = directory / tool
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ('openjdk version "17.0.15" 2025-04-15', ""),
        ('java version "25" 2025-09-16 LTS', ""),
        ('openjdk version "11.0.2" 2019-01-15', "java is version 11: Apache Kafka needs Java 17"),
        ('java version "1.8.0_392"', "java is version 8: Apache Kafka needs Java 17 or newer"),
        ("no such thing", "says no version"),
    ],
)
def test_java_has_to_be_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, why: str
) -> None:
    install(tmp_path, "java", f"echo '{version}' >&2")
    install(tmp_path, "mvn", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why in missing()
    assert bool(why) == bool(missing())


def test_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing() == "java is not installed: Apache Kafka needs Java 17 and Maven"
    install(tmp_path, "java", "exit 0")
    assert missing() == "mvn is not installed: Apache Kafka needs Java 17 and Maven"

"""What is installed from elsewhere: bounded where private names of it are used."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "optional-dependencies"
]
WANTED = {
    re.split(r"[<>=\[]", line)[0]: line for extra in ("kafka", "worker") for line in EXTRAS[extra]
}
TOGETHER = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if "==" in line
)


@pytest.mark.parametrize("name", ["kafka-python", "faust-streaming", "aiokafka"])
def test_a_client_whose_private_names_are_used_is_that_version(name: str) -> None:
    bounds = re.fullmatch(rf"{name}>=([\d.]+),<([\d.]+)", WANTED[name])
    assert bounds, WANTED[name]
    least, beyond = ([int(part) for part in each.split(".")] for each in bounds.groups())
    assert least <= [int(part) for part in TOGETHER[name].split(".")] < beyond
    assert beyond == [least[0], least[1] + 1]


@pytest.mark.parametrize("name", ["kafka-python", "cramjam", "crc32c"])
def test_an_agent_on_kafka_gets_what_its_client_needs(name: str) -> None:
    assert any(line.startswith(name) for line in EXTRAS["kafka"])
    assert name in TOGETHER

"""Where several workers run tests, those that share something go to one of them."""

import pytest

from tests.support.company import EACH_ALONE, OF_THE_BROKER, group_of
from tests.support.tocsin_process import ROOT


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/laws/test_spool.py::test_a[x]", "tests/laws/test_spool.py"),
        ("tests/laws/test_transports.py::test_a[on_kafka]", "kafka"),
        ("tests/laws/test_transports.py::test_a[embedded]", "tests/laws/test_transports.py"),
        ("tests/laws/test_runtimes.py::test_a[OnKafka]", "kafka"),
        ("tests/integration/test_kafka_start.py::test_a", "kafka"),
        ("tests/integration/test_check_live.py::test_a", "kafka"),
        (
            "tests/scenarios/test_crashes.py::test_a[x:1]",
            "tests/scenarios/test_crashes.py::test_a[x:1]",
        ),
    ],
)
def test_who_shares_something_is_of_one_group(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_who_goes_alone_shares_no_fixture_of_its_file() -> None:
    for file in EACH_ALONE:
        assert 'scope="' not in (ROOT / "tests/scenarios" / file).read_text("utf-8")


def test_the_files_that_are_named_are_there() -> None:
    names = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert {*EACH_ALONE, *OF_THE_BROKER} <= names

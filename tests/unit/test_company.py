"""Where several workers run tests, those that share something go to one of them."""

import pytest

from tests.support.company import group_of

pytest_plugins = ["pytester"]

FILE = """
import pytest

@pytest.fixture(scope="session")
def broker(): ...

@pytest.fixture(scope="module")
def server(): ...

@pytest.fixture
def client(server): ...

def test_alone(tmp_path): ...
def test_with_client(client): ...
def test_with_broker_and_client(broker, client): ...

@pytest.mark.parametrize("where", ["sqlite", "on_kafka"])
def test_on(where): ...
"""


def test_who_shares_a_broker_or_a_fixture_of_its_file_has_a_group(
    pytester: pytest.Pytester,
) -> None:
    groups = {item.name: group_of(item) for item in pytester.getitems(FILE)}
    file = next(iter(pytester.path.glob("test_*.py"))).name
    assert groups == {
        "test_alone": "",
        "test_with_client": file,
        "test_with_broker_and_client": "kafka",
        "test_on[sqlite]": "",
        "test_on[on_kafka]": "kafka",
    }

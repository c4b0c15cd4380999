"""One console at a time, because NiceGUI keeps its application in module globals."""

from collections.abc import Iterator

import pytest

from tests.support.console_stand import Stand, borrowed, stands
from tests.support.fake_services import FakeServices


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """A console and a browser."""
    yield from stands()


@pytest.fixture
def services(stand: Stand) -> Iterator[FakeServices]:
    """The services behind the console, put back as they were."""
    yield from borrowed(stand)

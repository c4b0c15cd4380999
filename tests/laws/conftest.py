"""Fixtures of the laws."""

import pytest

from tests.support.runtimes import RUNTIMES, Make


@pytest.fixture(params=RUNTIMES, ids=lambda kind: kind.__name__)
def runtime(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made

"""What holds for every test."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.support.company import group_of
from tests.support.kafka import broker, kafka  # noqa: F401  (fixtures)

# A shared machine is no stopwatch; and what CI tries is the same every time, so that a red run
# means the change. Elsewhere every run looks in new places.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", patient)
settings.register_profile("ci", patient, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup`, keep on one worker what shares something."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None and (group := group_of(item)):
            item.add_marker(pytest.mark.xdist_group(group))

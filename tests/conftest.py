"""What holds for every test."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.support.company import Company
from tests.support.kafka import broker, kafka  # noqa: F401  (fixtures)

# A shared machine is no stopwatch; and what CI tries is the same every time, so that a red run
# means the change. Elsewhere every run looks in new places.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", patient)
settings.register_profile("ci", patient, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Company | None:
    """In place of `--dist loadscope` ours, which knows what shares something."""
    return Company(config, log) if config.getoption("dist") == "loadscope" else None

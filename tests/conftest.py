"""What holds for every test."""

import os

from hypothesis import settings

from tests.support.kafka import broker, kafka  # noqa: F401  (fixtures)

# A shared machine is no stopwatch; and what CI tries is the same every time, so that a red run
# means the change. Elsewhere every run looks in new places.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

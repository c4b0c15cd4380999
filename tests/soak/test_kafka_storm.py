"""A detector joins or leaves every three seconds for ten minutes; the alerts are those of peace."""

import os
from pathlib import Path

import pytest

from ops.deploy.kafka.broker import Broker
from tests.support.kafka import settings_for
from tests.support.kafka_storm import storm


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_long_storm_of_rebalances_skips_nothing_and_changes_no_alert(
    tmp_path: Path, broker: Broker
) -> None:
    kafka = settings_for(broker, partitions=6, session_timeout="6s")
    storm(tmp_path / "home", kafka, float(os.environ.get("SECONDS", "600")), print)

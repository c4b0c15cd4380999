"""A detector joins or leaves every three seconds for two minutes; the alerts are those of peace."""

from pathlib import Path

import pytest

from ops.deploy.kafka.broker import Broker
from tests.support.kafka import settings_for
from tests.support.kafka_storm import storm


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_storm_of_rebalances_skips_nothing_and_changes_no_alert(
    tmp_path: Path, broker: Broker
) -> None:
    kafka = settings_for(broker, partitions=6, session_timeout="6s")
    storm(tmp_path / "home", kafka, 120, print)

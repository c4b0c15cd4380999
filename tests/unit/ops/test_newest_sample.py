"""Which sample an alert's expression could read: whoever posts an alert writes its address."""

import pytest

from ops.newest_sample import newest_sample
from tests.support.fake_services import FakeServices


@pytest.mark.parametrize(
    "url", ["", "http://[x", "http://x/?g0.expr=(", "http://x/?g0.expr=" + "(" * 5_000, "x:\x00"]
)
def test_an_address_that_makes_no_sense_leads_to_no_sample(url: str) -> None:
    assert newest_sample(FakeServices(), url, {"alertname": "A"}, 0) is None

"""What scenarios share."""

from collections.abc import Iterator

import pytest

from tests.support.webhook import Webhook


@pytest.fixture
def receiver() -> Iterator[Webhook]:
    """Somebody who is paged."""
    with Webhook() as webhook:
        yield webhook

import pytest

from notifiers.templating import TemplateFailed, Templates
from schemas.deliveries import Delivery
from tests.differential.alertmanager import amtool
from tests.differential.amtool import rendered
from tests.unit.notifiers.templating.cases import PAGES, TEXTS, nothing_common, three_alerts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not amtool(), reason="needs amtool: make peers"),
]


def differences(delivery: Delivery) -> list[tuple[str, str | None, str | None]]:
    """Templates that amtool makes something else of: (template, ours, theirs)."""
    found = []
    for html, templates in ((False, TEXTS), (True, PAGES)):
        for template in templates:
            ours, theirs = mine(template, delivery, html), rendered(template, delivery, html=html)
            if ours != theirs:
                found.append((template, ours, theirs))
    return found


def mine(template: str, delivery: Delivery, html: bool) -> str | None:
    """Our text; nothing where it fails."""
    templates = Templates()
    try:
        return (templates.html if html else templates.text)(template, delivery)
    except TemplateFailed:
        return None


@pytest.mark.parametrize("delivery", [three_alerts(), nothing_common()], ids=["three", "bare"])
def test_templates_say_what_amtool_makes_of_them(delivery: Delivery) -> None:
    assert differences(delivery) == []

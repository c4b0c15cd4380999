"""What amtool 0.34 made of templates as people publish them; null is where it fails."""

import json
from pathlib import Path

import pytest

from notifiers.templating import TemplateFailed, Templates
from tests.unit.notifiers.templating.cases import PAGES, TEXTS, nothing_common, three_alerts

ROWS = json.loads(Path(__file__).with_name("alertmanager.json").read_text("utf-8"))


def test_each_case_has_been_asked() -> None:
    assert [row[1] for row in ROWS] == [*TEXTS, *PAGES]


@pytest.mark.parametrize(("html", "template", "three", "bare"), ROWS)
def test_texts_are_alertmanagers(
    html: bool, template: str, three: str | None, bare: str | None
) -> None:
    templates = Templates()
    expand = templates.html if html else templates.text
    for delivery, theirs in ((three_alerts(), three), (nothing_common(), bare)):
        if theirs is None:
            with pytest.raises(TemplateFailed):
                expand(template, delivery)
        else:
            assert expand(template, delivery) == theirs

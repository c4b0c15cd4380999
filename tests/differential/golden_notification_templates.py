"""Writes amtool's texts: python -m tests.differential.golden_notification_templates."""

import json
from pathlib import Path

from schemas.deliveries import Delivery
from tests.differential.amtool import rendered
from tests.unit.notifiers.templating.cases import PAGES, TEXTS, nothing_common, three_alerts

TARGET = Path(__file__).parents[1] / "unit/notifiers/templating/alertmanager.json"


def main() -> None:
    """One row a template: whether it is HTML, the template, and the texts of both deliveries."""
    rows = [
        [html, template, *(rendered(template, each, html=html) for each in deliveries())]
        for html, templates in ((False, TEXTS), (True, PAGES))
        for template in templates
    ]
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    TARGET.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def deliveries() -> tuple[Delivery, Delivery]:
    """What the templates are about."""
    return three_alerts(), nothing_common()


if __name__ == "__main__":
    main()

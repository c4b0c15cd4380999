"""Asks `amtool template render` what a template says."""

import subprocess
import tempfile
from pathlib import Path

from notifiers.templating.as_json import to_json
from notifiers.templating.data import data
from schemas.deliveries import Delivery
from tests.differential.alertmanager import amtool


def rendered(
    template: str, delivery: Delivery, *, html: bool = False, glob: str = "/nowhere/*.tmpl"
) -> str | None:
    """The text; nothing where amtool refuses the template, or fails on it."""
    binary = amtool()
    assert binary
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder) / "data.json"
        facts.write_text(to_json(data(delivery)))
        asked = subprocess.run(
            [
                *(binary, "template", "render", f"--template.glob={glob}"),
                *(f"--template.text={template}", f"--template.data={facts}"),
                f"--template.type={'html' if html else 'text'}",
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    return asked.stdout if asked.returncode == 0 else None

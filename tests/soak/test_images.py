"""What goes into the images is enough to run on: the Dockerfile's packages, without Docker."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.compose import Compose
from tests.support.kafka import jars
from tests.support.sender import Sender
from tests.support.tocsin_process import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The `tocsin` of each image: a fresh environment with the extras that its stage installs."""
    home = tmp_path_factory.mktemp("images")
    # Built from a copy, as BuildKit does: setuptools leaves its work where the source is.
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    source = home / "source"
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    made = {}
    for target in ("agent", "worker"):
        stage = (ROOT / "Dockerfile").read_text().partition(f"AS build-{target}\n")[2]
        extras = re.search(r"\*\.whl\)\[([a-z,]+)\]", stage)
        assert extras is not None
        python = home / target / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", home / target], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        constraints = ["-c", ROOT / "constraints.txt"]
        subprocess.run([*pip, *constraints, f"{source}[{extras[1]}]"], check=True)
        made[f"tocsin-{target}:0.1.0"] = [str(home / target / "bin" / "tocsin")]
    return made


def test_a_metric_becomes_a_page_on_what_the_images_have(
    images: dict[str, list[str]], tmp_path: Path
) -> None:
    with Compose(tmp_path, jars(), images) as compose:
        compose.make_secrets()
        compose.up()
        with Sender(compose.url, compose.project.secret("console_token"), "h") as sender:
            sender.send("node_boot_time_seconds", time.time())
        (courier,) = compose.running("courier")
        file = courier.path("/var/lib/tocsin/deliveries/notifications.jsonl")
        eventually(
            lambda: file.exists() and "HostRestarted" in file.read_text(),
            60,
            lambda: compose.said(courier),
        )
        codes = {name: code for name, (code, _) in compose.stop().items()}
        assert set(codes.values()) == {0}, codes


def test_no_image_has_the_embedded_engine(images: dict[str, list[str]]) -> None:
    for (tocsin,) in images.values():
        site = Path(tocsin).parents[1] / "lib"
        assert not list(site.rglob("chdb"))
    (agent,) = images["tocsin-agent:0.1.0"]
    site = Path(agent).parents[1] / "lib"
    assert not [*site.rglob("numpy"), *site.rglob("faust"), *site.rglob("pyarrow")]

"""The Dockerfile, and what BuildKit and Compose themselves say; no image is built here."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
LINT = ROOT / ".peers" / "dockerlint"


def linted(kind: str, file: str) -> subprocess.CompletedProcess[str]:
    """The vendors' own code, built by `make lint-docker`."""
    if not LINT.exists():
        pytest.skip("BuildKit's checks are not built: make lint-docker (needs Go)")
    return subprocess.run(
        [LINT, kind, file], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_buildkit_has_nothing_to_say_of_the_dockerfile() -> None:
    ran = linted("dockerfile", "Dockerfile")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_buildkit_would_have_something_to_say(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM python:3.11 as x\nENTRYPOINT tocsin\n")
    ran = linted("dockerfile", str(file))
    assert ran.returncode == 1
    assert f"{file}:1: FromAsCasing" in ran.stdout
    assert f"{file}:2: JSONArgsRecommended" in ran.stdout


def test_compose_loads_the_project(tmp_path: Path) -> None:
    ran = linted("compose", "docker-compose.yml")
    assert ran.returncode == 0, ran.stderr
    project = json.loads(ran.stdout)
    assert project["services"]["detector"]["deploy"]["replicas"] == 2
    assert project["services"]["kafka"]["healthcheck"]["start_interval"] == "2s"
    broken = tmp_path / "docker-compose.yml"
    broken.write_text("services: {a: {image: x, comand: [y]}}\n")
    assert linted("compose", str(broken)).returncode == 2


def stages() -> dict[str, str]:
    """Each stage's instructions by its name."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[2::3], parts[3::3], strict=True))


def test_bases_are_pinned() -> None:
    named = stages()
    for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE):
        assert base in named or re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", base)


def test_nothing_runs_as_root_and_what_runs_is_tocsin() -> None:
    assert re.search(r"^USER 10001:10001$", stages()["runtime"], re.MULTILINE)
    assert 'ENTRYPOINT ["tocsin"]' in stages()["runtime"]
    assert 'CMD ["tocsin", "probe", "--url",' in stages()["runtime"]
    for name in ("agent", "worker"):
        assert stages()[name].split("\n")[1:2] == [
            f"COPY --from=build-{name} /opt/tocsin /opt/tocsin"
        ]


def test_an_image_says_nothing_that_a_mounted_file_could_not_say_otherwise() -> None:
    """The environment wins over the file."""
    assert set(re.findall(r"\bTOCSIN__\w+", DOCKERFILE)) == {"TOCSIN__DATA"}


def test_versions_are_those_that_were_tested_together() -> None:
    for name in ("build-agent", "build-worker"):
        assert "-c /constraints.txt" in stages()[name]


def test_only_what_is_needed_goes_into_a_build() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    wanted = {rule[1:] for rule in rules if rule.startswith("!")}
    assert wanted == {
        *("pyproject.toml", "constraints.txt", "README.md", "LICENSE"),
        *("schemas", "collectors", "processors", "notifiers", "ops"),
    }
    assert all((ROOT / name).exists() for name in wanted)


def test_ci_builds_the_checks() -> None:
    assert ".peers/dockerlint" in (ROOT / ".ci/run").read_text("utf-8")

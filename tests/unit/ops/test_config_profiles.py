from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.config_problems import Origin, Problems
from ops.config_profiles import BUILT_IN, NAMES
from ops.settings import Loaded, load

LAYERS = ("defaults", "built-in", "file", "section", "environment", "options")


def loaded(home: Path, text: str, environ: dict[str, str] | None = None, **options: Any) -> Loaded:
    file = home / "tocsin.yaml"
    file.write_text(text)
    return load(file, options, environ or {})


def problems(home: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(Problems) as caught:
        loaded(home, text, environ)
    return [str(p).replace(f"{home}/", "") for p in caught.value.problems]


@given(setting=st.sets(st.sampled_from(LAYERS[2:])), profile=st.sampled_from(NAMES))
def test_of_the_layers_that_set_a_key_the_last_wins(
    tmp_path_factory: pytest.TempPathFactory, setting: set[str], profile: str
) -> None:
    home = tmp_path_factory.mktemp("layers")
    servers = {layer: f"{layer}:9092" for layer in LAYERS}
    text, environ, options = f"profile: {profile}\n", {}, {}
    if "file" in setting:
        text += f"kafka: {{bootstrap: {servers['file']}}}\n"
    if "section" in setting:
        text += f"profiles:\n  {profile}: {{kafka: {{bootstrap: {servers['section']}}}}}\n"
    if "environment" in setting:
        environ["TOCSIN__KAFKA__BOOTSTRAP"] = servers["environment"]
    if "options" in setting:
        options["kafka"] = {"bootstrap": servers["options"]}
    # Two that have nothing written behind them: what the profile brings, and the default.
    built_in = BUILT_IN[profile].get("kafka", {}).get("bootstrap")
    last = max(setting, key=LAYERS.index, default=None)
    found = loaded(home, text, environ, **options).settings
    assert found.kafka.bootstrap == ((servers[last],) if last else (built_in,) if built_in else ())
    assert found.profile == profile


@given(
    named=st.fixed_dictionaries(
        {}, optional={k: st.sampled_from(NAMES) for k in ("file", "environment", "options")}
    )
)
def test_the_last_source_that_names_a_profile_chooses_it(
    tmp_path_factory: pytest.TempPathFactory, named: dict[str, str]
) -> None:
    home = tmp_path_factory.mktemp("named")
    text = "token: 0123456789abcdef\nprofiles:\n"
    text += "".join(f"  {name}: {{external_labels: {{place: {name}}}}}\n" for name in NAMES)
    text += f"profile: {named['file']}\n" if "file" in named else ""
    environ = {"tocsin__profile": named["environment"]} if "environment" in named else {}
    options = {"profile": named["options"]} if "options" in named else {}
    found = loaded(home, text, environ, **options).settings
    order = [named[each] for each in ("file", "environment", "options") if each in named]
    assert found.external_labels == {"place": order[-1] if order else "local"}


def test_sections_merge_key_by_key_and_lists_replace(tmp_path: Path) -> None:
    text = (
        "kafka: {bootstrap: [a:1, b:1], partitions: 4}\n"
        "profiles: {production: {kafka: {bootstrap: [c:1]}}}\n"
    )
    kafka = loaded(tmp_path, text, profile="production").settings.kafka
    assert (kafka.bootstrap, kafka.partitions, kafka.replication) == (("c:1",), 4, 3)
    kafka = loaded(tmp_path, text).settings.kafka
    assert (kafka.bootstrap, kafka.partitions, kafka.replication) == (("a:1", "b:1"), 4, 1)


def test_what_a_person_wrote_wins_over_what_we_ship(tmp_path: Path) -> None:
    text = "logging: {format: text}\nkafka: {replication: 5}\n"
    settings = loaded(tmp_path, text, profile="production").settings
    assert (settings.logging.format, settings.kafka.replication) == ("text", 5)
    assert settings.kafka.min_in_sync == 2


def test_each_value_remembers_where_it_was_written(tmp_path: Path) -> None:
    text = (
        "logging: {level: debug}\n"
        "kafka:\n  partitions: 4\n"
        "profiles:\n  production:\n    logging:\n      level: error\n"
    )
    environ = {"TOCSIN__KAFKA__PREFIX": "x."}
    found = loaded(tmp_path, text, environ, profile="production", data="d").origins
    file = str(tmp_path / "tocsin.yaml")
    assert found["kafka", "partitions"] == Origin(file, 3)
    assert found["logging", "level"] == Origin(file, 7)
    assert found["logging", "format"] == Origin("profile production")
    assert found["kafka", "prefix"] == Origin("TOCSIN__KAFKA__PREFIX")
    assert found["data",] == Origin("--data")
    assert found["profile",] == Origin("--profile")


def test_paths_in_a_profile_are_relative_to_the_file(tmp_path: Path) -> None:
    text = "profiles: {staging: {kafka: {ca_file: ca.pem}}}\n"
    settings = loaded(tmp_path, text, profile="staging").settings
    assert settings.kafka.ca_file == tmp_path / "ca.pem"


def test_an_empty_profile_says_nothing(tmp_path: Path) -> None:
    text = "profile: local\nprofiles:\n  local:\n  staging: {}\n"
    assert loaded(tmp_path, text).settings == loaded(tmp_path, "").settings


@pytest.mark.parametrize("profile", NAMES)
def test_what_we_ship_is_right(tmp_path: Path, profile: str) -> None:
    environ = {"TOCSIN__TOKEN": "0123456789abcdef"}
    assert loaded(tmp_path, "", environ, profile=profile).settings.profile == profile


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("profile: prod\n", "tocsin.yaml:1: profile: must be 'local', 'staging', 'production'"),
        ("profiles: [a]\n", "tocsin.yaml:1: profiles: must be profiles and their settings"),
        (
            "profiles:\n  producton: {}\n",
            'tocsin.yaml:2: profiles.producton: unknown profile: did you mean "production"?',
        ),
        ("profiles:\n  local: 1\n", "tocsin.yaml:2: profiles.local: must be settings"),
        (
            "profiles:\n  local:\n    profile: docker\n",
            "tocsin.yaml:3: profiles.local.profile: stands in a profile",
        ),
        (
            "profiles:\n  local:\n    listne: x\n",
            'tocsin.yaml:3: listne: unknown key: did you mean "listen"?',
        ),
        (
            "profiles:\n  production:\n    kafka:\n      replicaton: 3\n",
            'tocsin.yaml:4: kafka.replicaton: unknown key: did you mean "replication"?',
        ),
        ("profiles:\n  docker: {listen: 8080}\n", "tocsin.yaml:2: listen: is not an address"),
    ],
)
def test_a_problem_in_a_profile_has_its_line(tmp_path: Path, text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(tmp_path, text))


def test_a_profile_of_the_environment_that_is_none(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "", {"TOCSIN__PROFILE": "prod"})
    assert found.startswith("TOCSIN__PROFILE: profile: must be 'local'")


COLUMNS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    ({"profile": "production"}, {}),
    ({"profile": "production"}, {"TOCSIN__KAFKA__REPLICATION": "5"}),
]


def test_the_example_of_the_documentation_is_true(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
    chapter = page.partition("## Profiles")[2].partition("\n## ")[0]
    text = chapter.partition("```yaml\n")[2].partition("```")[0]
    seen = [loaded(tmp_path, text, environ, **options).settings for options, environ in COLUMNS]
    rows = [line for line in chapter.splitlines() if line.count("|") == 5 and "`" in line][1:]
    assert len(rows) == 5
    for row in rows:
        key, *told = [cell.strip().split(" (")[0].strip("`") for cell in row.strip("|").split("|")]
        for settings, value in zip(seen, told, strict=True):
            section, _, name = key.partition(".")
            assert str(getattr(getattr(settings, section), name)) == value, key

"""What was released stays readable, and the documentation says what the code does."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.compatibility import problems
from schemas.event import Event
from schemas.export import DOCS, RELEASED, ROOT, file_of, main, message_schema, pages, released
from schemas.topics import KINDS

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)


@every_kind
def test_the_current_schema_reads_what_the_released_one_wrote(kind: type[Event]) -> None:
    before = released(file_of(kind))
    assert before is not None, f"{file_of(kind)} was never released: run `make schemas`"
    found = problems(before, message_schema(kind))
    assert not found, "\n".join([f"{kind.KIND} is not backward compatible:", *found])


@every_kind
def test_the_version_before_is_still_described(kind: type[Event]) -> None:
    if kind.VERSION > 1:
        assert released(f"{kind.KIND}.v{kind.VERSION - 1}.json") is not None


@every_kind
def test_the_example_is_valid(kind: type[Event]) -> None:
    schema = message_schema(kind)
    Draft202012Validator.check_schema(schema)
    (example,) = schema["examples"]
    Draft202012Validator(schema).validate(example)
    assert (
        kind.model_validate_json(json.dumps(example["body"])).model_dump(mode="json")
        == (example["body"])
    )


@pytest.mark.parametrize("name", pages())
def test_the_documentation_is_what_the_exporter_writes(name: str) -> None:
    path = ROOT / DOCS / name
    assert path.exists(), f"{name} is missing: run `make schemas`"
    assert path.read_text("utf-8") == pages()[name], f"{name} is out of date: run `make schemas`"


def test_no_file_describes_a_kind_that_is_gone() -> None:
    kinds = {kind.KIND for kind in KINDS}
    for folder in (DOCS, RELEASED):
        assert {path.name.split(".")[0] for path in (ROOT / folder).glob("*.json")} == kinds


def test_the_exporter_never_overwrites_what_was_released(tmp_path: Path) -> None:
    main(tmp_path)
    (old := tmp_path / RELEASED / "plan.v1.json").write_text("{}", "utf-8")
    (new := tmp_path / RELEASED / "check.v1.json").unlink()
    (page := tmp_path / DOCS / "plan.v1.json").write_text("{}", "utf-8")
    main(tmp_path)
    assert old.read_text("utf-8") == "{}"
    assert new.exists()
    assert page.read_text("utf-8") == pages()["plan.v1.json"]


def test_the_exporter_says_only_what_it_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(tmp_path)
    assert capsys.readouterr().out.count("wrote") == 2 * len(KINDS) + 1
    main(tmp_path)
    assert capsys.readouterr().out == ""


def test_the_page_names_what_released_readers_would_bury(tmp_path: Path) -> None:
    main(tmp_path)
    path = tmp_path / RELEASED / "wakeup.v1.json"
    schema = json.loads(path.read_text("utf-8"))
    schema["$defs"]["WakeUp"]["properties"]["stage"]["maxLength"] = 10
    path.write_text(json.dumps(schema), "utf-8")
    main(tmp_path)
    text = (tmp_path / DOCS / "README.md").read_text("utf-8")
    assert "- wakeup $.body.stage: maxLength 10 is narrower than 1024" in text

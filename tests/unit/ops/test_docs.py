"""The documentation names what there is; what it says of it people have to check."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from ops.cli.command_line import _parser
from ops.config_problems import models_in
from ops.figures import CATALOGUE
from ops.history.tables import TABLES
from ops.settings import ENV_PREFIX, Settings
from processors.promql.aggregation import AGGREGATIONS
from processors.promql.kernels.registry import POINTWISE, RANGES
from processors.promql.operators import ARITHMETIC, COMPARISONS, SETS

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"


def keys(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every key that can be written; of a list's entries, their bare names."""
    for name, field in model.model_fields.items():
        inner = models_in(field.annotation)
        listed = "tuple" in str(field.annotation)
        for found in inner:
            yield from keys(found, "" if listed else f"{above}{name}.")
        if not inner or listed:
            yield f"{above}{name}"


def options(parser: argparse.ArgumentParser, name: str = "tocsin") -> Iterator[tuple[str, str]]:
    """Every command with every one of its options."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, inner in action.choices.items():
                yield from options(inner, f"{name} {command}")
        else:
            yield from ((name, option) for option in action.option_strings)


@pytest.mark.parametrize("key", [*keys(Settings)])
def test_every_setting_is_described_with_its_variable(key: str) -> None:
    text = (DOCS / "configuration.md").read_text("utf-8")
    assert f"| `{key}` |" in text
    if "." in key or key in Settings.model_fields:
        assert f"`{ENV_PREFIX}{key.upper().replace('.', '__')}`" in text


@pytest.mark.parametrize(("command", "option"), [*options(_parser())])
def test_every_command_and_option_is_described(command: str, option: str) -> None:
    text = (DOCS / "commands.md").read_text("utf-8")
    assert f"`{command}" in text
    assert re.search(rf"`{option}\b", text)


@pytest.mark.parametrize("name", [*RANGES, *POINTWISE, *AGGREGATIONS])
def test_every_function_of_promql_is_listed(name: str) -> None:
    assert f"`{name}`" in (DOCS / "promql.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted({*ARITHMETIC, *COMPARISONS, *SETS}))
def test_every_operator_of_promql_is_listed(name: str) -> None:
    assert f"`{name}`" in (DOCS / "promql.md").read_text("utf-8")


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_figure_is_listed(name: str) -> None:
    assert f"`{name}`" in (DOCS / "metrics.md").read_text("utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_history_is_listed(name: str) -> None:
    assert f"`{name}`" in (DOCS / "history.md").read_text("utf-8")


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []

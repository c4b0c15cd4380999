"""The checker of schemas says what a change of a schema would break, and for whom."""

from copy import deepcopy
from typing import Any

import pytest

from schemas.compatibility import Schema, cautions, problems

LEVEL: Schema = {
    "type": "object",
    "properties": {
        "state": {"enum": ["calm", "firing"], "type": "string"},
        "inner": {"anyOf": [{"$ref": "#/$defs/Level"}, {"type": "null"}]},
    },
    "required": ["state"],
}
RELEASED: Schema = {
    "$defs": {"Level": LEVEL},
    "type": "object",
    "properties": {
        "version": {"const": 1, "type": "integer"},
        "name": {"type": "string", "minLength": 1, "maxLength": 10},
        "count": {"type": "integer", "minimum": 0, "maximum": 9, "default": 0},
        "ratio": {"type": "number", "exclusiveMinimum": 0},
        "at": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "labels": {
            "type": "object",
            "additionalProperties": {"type": "string", "maxLength": 5},
            "propertyNames": {"minLength": 1},
            "maxProperties": 3,
        },
        "levels": {"type": "array", "items": {"$ref": "#/$defs/Level"}, "minItems": 1},
    },
    "required": ["version", "name", "ratio", "labels", "levels"],
}


def changed(path: str, value: Any = None) -> Schema:
    """The released schema with one place, by dots, set; removed where the value is `None`."""
    schema = deepcopy(RELEASED)
    *way, last = path.split(".")
    place: Any = schema
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return schema


BREAKING = {
    "a removed property": (changed("properties.count"), "$.count: is gone"),
    "a removed nested property": (
        changed("$defs.Level.properties.inner"),
        "$.levels[].inner: is gone",
    ),
    "a retyped property": (
        changed("properties.count", {"type": "string"}),
        "$.count: integer is not accepted",
    ),
    "a number that becomes an integer": (
        changed("properties.ratio.type", "integer"),
        "$.ratio: number is not accepted",
    ),
    "a new required property": (
        changed("required", [*RELEASED["required"], "new"]),
        "$.new: is required and need not be there",
    ),
    "an optional property that becomes required": (
        changed("required", [*RELEASED["required"], "count"]),
        "$.count: is required and need not be there",
    ),
    "a nested new required property": (
        changed("$defs.Level.required", ["state", "new"]),
        "$.levels[].new: is required and need not be there",
    ),
    "a shorter text": (
        changed("properties.name.maxLength", 9),
        "$.name: maxLength 9 is narrower than 10",
    ),
    "a longer least text": (
        changed("properties.name.minLength", 2),
        "$.name: minLength 2 is narrower than 1",
    ),
    "a higher minimum": (
        changed("properties.count.minimum", 1),
        "$.count: minimum 1 is narrower than 0",
    ),
    "a lower maximum": (
        changed("properties.count.maximum", 8),
        "$.count: maximum 8 is narrower than 9",
    ),
    "a new bound": (
        changed("properties.ratio.maximum", 1),
        "$.ratio: maximum 1 is narrower than none",
    ),
    "more items at least": (
        changed("properties.levels.minItems", 2),
        "$.levels: minItems 2 is narrower than 1",
    ),
    "fewer entries": (
        changed("properties.labels.maxProperties", 2),
        "$.labels: maxProperties 2 is narrower than 3",
    ),
    "shorter entries": (
        changed("properties.labels.additionalProperties.maxLength", 4),
        "$.labels.*: maxLength 4 is narrower than 5",
    ),
    "longer names": (
        changed("properties.labels.propertyNames.minLength", 2),
        "$.labels.(names): minLength 2 is narrower than 1",
    ),
    "a map that is closed": (
        changed("properties.labels.additionalProperties", False),
        "$.labels.*: entries are not accepted",
    ),
    "a removed enum value": (
        changed("$defs.Level.properties.state.enum", ["firing"]),
        "$.levels[].state: 'calm' is not accepted",
    ),
    "a text that becomes an enum": (
        changed("properties.name.enum", ["a"]),
        "$.name: only 'a' is accepted",
    ),
    "another constant": (
        changed("properties.version.const", 2),
        "$.version: 1 is not accepted",
    ),
    "a null no longer taken": (
        changed("properties.at", {"type": "integer"}),
        "$.at: null is not accepted",
    ),
    "an alternative gone": (
        changed("properties.at.anyOf", [{"type": "string"}, {"type": "null"}]),
        "$.at: integer is not accepted",
    ),
    "an alternative narrowed": (
        changed("properties.at.anyOf", [{"type": "integer", "minimum": 0}, {"type": "null"}]),
        "$.at: minimum 0 is narrower than none",
    ),
    "a pattern": (
        changed("properties.name.pattern", "^a"),
        "$.name: pattern is '^a'",
    ),
}


@pytest.mark.parametrize("change", BREAKING)
def test_the_checker_finds(change: str) -> None:
    current, expected = BREAKING[change]
    todo = "keep what was released, or raise VERSION and write upgrade()"
    assert problems(RELEASED, current) == [f"{expected}: {todo}"]


WIDER = {
    "a new optional property": changed("properties.new", {"type": "string", "default": ""}),
    "a required property that gets a default": changed(
        "required", [name for name in RELEASED["required"] if name != "name"]
    ),
    "another default": changed("properties.count.default", 5),
    "another description": changed("properties.count.description", "how many"),
}
BURIED = {
    "a longer text": (
        changed("properties.name.maxLength", 11),
        "$.name: maxLength 10 is narrower than 11",
    ),
    "a bound that is gone": (
        changed("properties.count.minimum"),
        "$.count: minimum 0 is narrower than none",
    ),
    "an integer that becomes a number": (
        changed("properties.count.type", "number"),
        "$.count: number is not accepted",
    ),
    "a new null": (
        changed("properties.name", {"anyOf": [RELEASED["properties"]["name"], {"type": "null"}]}),
        "$.name: null is not accepted",
    ),
    "a new enum value": (
        changed("$defs.Level.properties.state.enum", ["calm", "firing", "silenced"]),
        "$.levels[].state: 'silenced' is not accepted",
    ),
    "an enum that becomes any text": (
        changed("$defs.Level.properties.state.enum"),
        "$.levels[].state: only 'calm', 'firing' is accepted",
    ),
    "entries that may be anything": (
        changed("properties.labels.additionalProperties", {}),
        "$.labels.*: array or boolean or integer or null or number or object is not accepted",
    ),
}


@pytest.mark.parametrize("change", WIDER)
def test_harmless_for_every_reader_is(change: str) -> None:
    assert problems(RELEASED, WIDER[change]) == []
    assert cautions(RELEASED, WIDER[change]) == []


@pytest.mark.parametrize("change", BURIED)
def test_readers_go_first_for(change: str) -> None:
    current, expected = BURIED[change]
    assert problems(RELEASED, current) == []
    assert cautions(RELEASED, current) == [f"{expected} in the released schema"]


def test_a_required_property_that_is_gone_is_buried_by_released_readers() -> None:
    gone = changed("properties.name")
    assert cautions(RELEASED, gone) == [
        "$.name: is required and need not be there in the released schema"
    ]


def test_a_schema_is_compatible_with_itself_however_often_it_refers_to_itself() -> None:
    assert problems(RELEASED, RELEASED) == []
    assert cautions(RELEASED, RELEASED) == []


def test_a_definition_may_be_renamed() -> None:
    current = changed("properties.levels.items", {"$ref": "#/$defs/Grade"})
    grade = deepcopy(LEVEL)
    grade["properties"]["inner"]["anyOf"][0]["$ref"] = "#/$defs/Grade"
    current["$defs"] = {"Grade": grade}
    assert problems(RELEASED, current) == []


def test_an_object_that_becomes_a_map_loses_its_properties() -> None:
    current = changed("properties.levels.items", {"type": "object"})
    assert [what.split(": ")[0] for what in problems(RELEASED, current)] == [
        "$.levels[].state",
        "$.levels[].inner",
    ]


def test_every_problem_is_told_at_once() -> None:
    current = changed("properties.name.maxLength", 9)
    del current["properties"]["count"]
    assert len(problems(RELEASED, current)) == 2


def test_a_map_that_takes_any_entry_takes_those_of_before() -> None:
    assert problems(RELEASED, changed("properties.labels.additionalProperties", True)) == []

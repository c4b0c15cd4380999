"""Whether a change of a schema keeps its version: a reader must accept what a writer has written.

The order of an upgrade decides which direction matters: readers first, writers last (historian,
courier, router, console, detector, agents; the log also holds what writers of last month wrote).
So within a version

- the current reader must accept whatever a writer of the *released* schema can have written, and
  lose none of it. `problems` lists where it does not: a property that is gone or of another type,
  one that is newly required, a narrower bound, an enum value that is gone. Each needs a new
  VERSION and an `upgrade`, and the release after that drops version N − 2;
- a reader of the *released* schema meets a current writer's message only while an upgrade goes on
  in the wrong order, or after a reader alone was rolled back. It ignores properties it does not
  know, but dead-letters a new enum value, a wider bound or a missing property that it requires.
  `cautions` lists those: the change is allowed, the order of the upgrade is then not optional.
  A new VERSION would not help: that reader would bury every message instead of some.

Meanings are not compared: a changed default or unit is nothing a schema can show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]  # JSON: its values are of any type
_Pairs = frozenset[tuple[int, int]]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_COMPARED = {"type", "enum", "const", "properties", "required", "additionalProperties", "items"}
_COMPARED |= {"propertyNames", "anyOf", "oneOf", "$ref", "$defs", *_LOWER, *_UPPER}
_SILENT = {"title", "description", "default", "examples", "deprecated", "discriminator", "$schema"}
_SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def problems(released: Schema, current: Schema) -> list[str]:
    """What the current reader would refuse or lose of a released writer's; empty if nothing."""
    todo = "keep what was released, or raise VERSION and write upgrade()"
    found = _Comparison(released, current, keeps=True).differences("$", released, current)
    return [f"{what}: {todo}" for what in dict.fromkeys(found)]


def cautions(released: Schema, current: Schema) -> list[str]:
    """What a released reader would bury of a current writer's; upgrade every reader before."""
    found = _Comparison(current, released, keeps=False).differences("$", current, released)
    return [f"{what} in the released schema" for what in dict.fromkeys(found)]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Whether `reader` accepts what `writer` can write; with `keeps`, whether it loses nothing.

    Without `keeps` the writer is this program, which writes every property that it has.
    """

    writer: Schema
    reader: Schema
    keeps: bool

    def differences(
        self,
        path: str,
        writer: Schema,
        reader: Schema,
        above: _Pairs = frozenset(),
    ) -> Iterator[str]:
        """Where the reader falls short; `above` are the pairs being compared, by identity."""
        choices = _choices(self.reader, reader)
        for written in _choices(self.writer, writer):
            tried = [list(self._single(path, written, choice, above)) for choice in choices]
            if [] in tried:
                continue
            alike = [
                found
                for found, choice in zip(tried, choices, strict=True)
                if len(choices) == 1 or _types(written) & _types(choice)
            ]
            yield from alike[0] if alike else [f"{path}: {_named(written)} is not accepted"]

    def _single(self, path: str, writer: Schema, reader: Schema, above: _Pairs) -> Iterator[str]:
        pair = (id(writer), id(reader))
        if pair in above:  # a schema that refers to itself
            return
        above |= {pair}
        if lost := _types(writer) - _types(reader):
            yield f"{path}: {' or '.join(sorted(lost))} is not accepted"
            return
        yield from _values(path, writer, reader)
        yield from _bounds(path, writer, reader)
        for keyword in sorted(reader.keys() - _COMPARED - _SILENT):
            if writer.get(keyword) != reader[keyword]:
                yield f"{path}: {keyword} is {reader[keyword]!r}"
        if "object" in _types(writer):
            yield from self._object(path, writer, reader, above)
        if "array" in _types(writer) and "items" in reader:
            yield from self.differences(
                f"{path}[]", writer.get("items", {}), reader["items"], above
            )

    def _object(self, path: str, writer: Schema, reader: Schema, above: _Pairs) -> Iterator[str]:
        wrote, reads = writer.get("properties", {}), reader.get("properties", {})
        for name in wrote:
            if name in reads:
                yield from self.differences(f"{path}.{name}", wrote[name], reads[name], above)
            elif self.keeps:
                yield f"{path}.{name}: is gone"
        surely = writer.get("required", []) if self.keeps else wrote
        for name in reader.get("required", []):
            if name not in surely:
                yield f"{path}.{name}: is required and need not be there"
        if not wrote:  # a map: its entries are its meaning
            yield from self._map(path, writer, reader, above)

    def _map(self, path: str, writer: Schema, reader: Schema, above: _Pairs) -> Iterator[str]:
        names = {"type": "string"} | writer.get("propertyNames", {})
        read_names = {"type": "string"} | reader.get("propertyNames", {})
        yield from self.differences(f"{path}.(names)", names, read_names, above)
        wrote, reads = (side.get("additionalProperties", True) for side in (writer, reader))
        if reads is True or wrote is False:
            return
        if reads is False:
            yield f"{path}.*: entries are not accepted"
        else:
            yield from self.differences(f"{path}.*", {} if wrote is True else wrote, reads, above)


def _choices(root: Schema, schema: Schema) -> list[Schema]:
    """The alternatives of a schema, references followed; one if there is nothing to choose."""
    while "$ref" in schema:
        place: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        schema = place
    among = schema.get("anyOf") or schema.get("oneOf")
    return [one for each in among for one in _choices(root, each)] if among else [schema]


def _types(schema: Schema) -> set[str]:
    """The JSON types it admits; a number is also an integer's name for itself."""
    named = schema.get("type")
    if named is None:
        values = _listed(schema)
        everything = {*_SIMPLE.values(), "object", "array"}
        return everything if values is None else {_SIMPLE[type(value)] for value in values}
    types = {named} if isinstance(named, str) else set(named)
    return types | {"integer"} if "number" in types else types


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _values(path: str, writer: Schema, reader: Schema) -> Iterator[str]:
    wrote, reads = _listed(writer), _listed(reader)
    if reads is None:
        return
    if wrote is None:
        yield f"{path}: only {', '.join(map(repr, reads))} is accepted"
        return
    for value in wrote:
        if value not in reads:
            yield f"{path}: {value!r} is not accepted"


def _bounds(path: str, writer: Schema, reader: Schema) -> Iterator[str]:
    for keyword in (*_LOWER, *_UPPER):
        bound = reader.get(keyword)
        if bound is None or (keyword.startswith("min") and keyword != "minimum" and bound == 0):
            continue
        wrote = writer.get(keyword)
        narrower = wrote is None or (bound > wrote if keyword in _LOWER else bound < wrote)
        if narrower:
            yield f"{path}: {keyword} {bound} is narrower than {'none' if wrote is None else wrote}"


def _named(schema: Schema) -> str:
    values = _listed(schema)
    return " or ".join(map(repr, values) if values else sorted(_types(schema)))

"""`python -m schemas.export`: write what `docs/schemas` says of the messages, and new releases.

`docs/schemas` is written anew each time. `schemas/released` keeps the schema of each version as it
was first written; what is there is never overwritten.
"""

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model

from schemas.codec import Header
from schemas.compatibility import Schema, cautions
from schemas.event import Event
from schemas.examples import EXAMPLES
from schemas.topics import CODEC, KINDS, TOPICS, Topic

ROOT = Path(__file__).resolve().parent.parent
DOCS = Path("docs/schemas")
RELEASED = Path("schemas/released")
_SHOWN = "wakeup"

_README = """\
# Messages

Written by `make schemas` from `schemas/`; do not edit.

A message is one MessagePack map: the envelope, with the event under `body`. Each file here is the
JSON Schema of a whole message; in its example, as in JSON generally, bytes are base64. Readers
ignore properties they do not know, and read version N and N−1 of each kind. How a schema may
change within a version is said in `schemas/compatibility.py`.

## Topics

| Topic | Key | Partitions | Kept for | Largest message |
|---|---|---|---|---|
{topics}

## Kinds

| Kind | Version | On | What it is |
|---|---|---|---|
{kinds}

## Upgrading

Readers first, writers last: historian, courier, router, console, detector, agents.{cautions}

## An encoded message

The `{shown}` of [{shown}.v{version}.json]({shown}.v{version}.json), {size} bytes:

```
{hex}
```
"""


def file_of(kind: type[Event]) -> str:
    """The name of the file with this kind's schema."""
    return f"{kind.KIND}.v{kind.VERSION}.json"


def message_schema(kind: type[Event]) -> Schema:
    """The JSON Schema of a whole message of this kind, with an example."""
    fields: dict[str, Any] = {  # create_model takes fields as keywords of any type
        "kind": (Literal[kind.KIND], Field(alias="schema")),
        "version": (Literal[kind.VERSION], ...),
        "body": (kind, ...),
    }
    message = create_model(f"{kind.__name__}Message", __base__=Header, **fields)
    schema = message.model_json_schema(by_alias=True)
    schema["description"] = f"A message of kind {kind.KIND}, version {kind.VERSION}."
    return schema | {"examples": [_example(kind)]}


def pages(root: Path = ROOT) -> dict[str, str]:
    """The files of `docs/schemas`: name and text."""
    schemas = {file_of(kind): _json(message_schema(kind)) for kind in KINDS}
    return schemas | {"README.md": _readme(root)}


def released(name: str, root: Path = ROOT) -> Schema | None:
    """The schema as it was released; None if it never was."""
    path = root / RELEASED / name
    if not path.exists():
        return None
    schema: Schema = json.loads(path.read_text("utf-8"))
    return schema


def main(root: Path = ROOT) -> int:
    """Write both folders below `root` and say what is new."""
    for kind in KINDS:
        if released(file_of(kind), root) is None:
            _write(root / RELEASED / file_of(kind), _json(message_schema(kind)))
    for name, text in pages(root).items():
        _write(root / DOCS / name, text)
    return 0


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text("utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    sys.stdout.write(f"wrote {path}\n")


def _example(kind: type[Event]) -> dict[str, Any]:
    envelope = EXAMPLES[kind.KIND]
    return {
        "schema": kind.KIND,
        "version": kind.VERSION,
        "id": envelope.id,
        "producer": envelope.producer.name,
        "epoch": envelope.producer.epoch,
        "sequence": envelope.producer.sequence,
        "tenant": envelope.tenant,
        "sent_at": envelope.sent_at,
        "trace": envelope.trace,
        "body": envelope.event.model_dump(mode="json"),
    }


def _readme(root: Path) -> str:
    encoded = CODEC.encode(EXAMPLES[_SHOWN])
    dump = encoded.hex(" ").split(" ")
    rows = [" ".join(dump[at : at + 24]) for at in range(0, len(dump), 24)]
    warned = [
        f"\n- {kind.KIND} {what}"
        for kind in KINDS
        if (before := released(file_of(kind), root)) is not None
        for what in cautions(before, message_schema(kind))
    ]
    notice = " Here it matters, for a released reader would bury:\n" + "".join(warned)
    return _README.format(
        topics="\n".join(map(_topic_row, TOPICS.values())),
        kinds="\n".join(map(_kind_row, KINDS)),
        cautions=notice if warned else "",
        shown=_SHOWN,
        version=CODEC.kinds[_SHOWN].VERSION,
        size=len(encoded),
        hex="\n".join(rows),
    )


def _topic_row(topic: Topic) -> str:
    hours = int(topic.retention.total_seconds() // 3600)
    kept = f"{hours // 24} d" if hours % 24 == 0 else f"{hours} h"
    partitions = "one" if topic.single else "as configured"
    return f"| `{topic.name}` | {topic.key} | {partitions} | {kept} | {topic.max_message:,} B |"


def _kind_row(kind: type[Event]) -> str:
    on = ", ".join(f"`{topic.name}`" for topic in TOPICS.values() if kind in topic.kinds)
    what = (kind.__doc__ or "").strip().splitlines()[0]
    return f"| [{kind.KIND}]({file_of(kind)}) | {kind.VERSION} | {on} | {what} |"


def _json(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())

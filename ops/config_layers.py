"""Sources of settings laid over one another; each value remembers where it was written."""

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, get_args

from pydantic import BaseModel

from ops.config_problems import Origin, Path, Problem, models_in


class Layers:
    """Settings as they come together, later layers over earlier ones."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model
        self.content: dict[str, Any] = {}
        self.origins: dict[Path, Origin] = {}
        self.problems: list[Problem] = []

    def add(self, content: Mapping[str, Any], origins: Mapping[Path, Origin]) -> None:
        """Lay this over what is there; sections merge, lists and values replace."""
        self._merge(self.content, content, ())
        for path, origin in origins.items():
            # What was replaced is forgotten by now; a section stays where it was first opened.
            self.origins.setdefault(path, origin)

    def origin(self, path: Path) -> Origin:
        """Where this key, or else the section it would stand in, was written."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, Origin("defaults"))

    def _merge(self, below: dict[str, Any], above: Mapping[str, Any], at: Path) -> None:
        for key, value in above.items():
            if value is None:
                # A key without a value is one that is not set.
                continue
            here = (*at, key)
            if isinstance(value, Mapping):
                old = below.get(key)
                below[key] = section = dict(old) if isinstance(old, Mapping) else {}
                self._merge(section, value, here)
                continue
            for path in [p for p in self.origins if p[: len(here)] == here]:
                del self.origins[path]
            below[key] = value


def anchored(content: Any, model: type[BaseModel], base: FilePath) -> Any:
    """The same content with every path in it relative to `base`, by the types of the model."""
    if not isinstance(content, Mapping):
        return content
    out = dict(content)
    for name, field in model.model_fields.items():
        key = field.alias or name
        if content.get(key) is None:
            continue
        out[key] = _anchor(content[key], field.annotation, base)
    return out


def _anchor(value: Any, annotation: Any, base: FilePath) -> Any:
    if isinstance(value, str) and FilePath in (annotation, *get_args(annotation)):
        return str(base / FilePath(value).expanduser())
    if isinstance(value, list):
        inner = get_args(annotation)
        return [_anchor(v, inner[0], base) for v in value] if inner else value
    for model in models_in(annotation):
        value = anchored(value, model, base)
    return value

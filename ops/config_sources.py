"""The sources of settings, read and laid over one another: profile, file, environment, options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BeforeValidator, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from ops.config_layers import Layers, anchored
from ops.config_problems import Origin, Problem, did_you_mean, from_validation
from ops.config_profiles import built_in, chosen, split
from ops.config_yaml import Document

ENV_PREFIX: Final = "TOCSIN__"


def layered(
    model: type[BaseSettings],
    document: Document,
    base: Path,
    environ: Mapping[str, str],
    options: Mapping[str, object],
) -> Layers:
    """Everything that says something, later sources over earlier ones.

    Paths in `document` are relative to `base`. `options` are settings by key.
    """
    above = Layers(model)
    _read_environment(above, environ)
    for key, value in options.items():
        origin = Origin(f"--{key.replace('_', '-')}")
        above.add({key: value}, {(key,): origin})
    written, sections, misplaced = split(document)
    profile = chosen(written.content.get("profile"), above.content.get("profile"))
    layers = Layers(model)
    layers.problems += [*document.problems, *misplaced, *above.problems]
    below = [built_in(profile), written]
    if profile in sections:
        below.append(sections.pop(profile))
    for each in below:
        layers.add(anchored(each.content, model, base), each.origins)
    layers.add(above.content, above.origins)
    for section in sections.values():
        # Not chosen now: a mistake in it would show on the day it is.
        other = Layers(model)
        other.add(anchored(section.content, model, base), section.origins)
        try:
            model(**other.content)
        except ValidationError as fault:
            layers.problems += from_validation(fault, model, other.origins)
    return layers


class _Environment(EnvSettingsSource):
    """The vendor's reader, which wants JSON for whatever is not plain text to Python.

    An address or a list of servers is text to people, and its own validator reads that.
    """

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            if any(isinstance(each, BeforeValidator) for each in field.metadata):
                return value
            raise


def _read_environment(layers: Layers, environ: Mapping[str, str]) -> None:
    known = layers.model.model_fields
    for name in sorted(environ):
        if not name.upper().startswith(ENV_PREFIX):
            continue
        first = name[len(ENV_PREFIX) :].lower().split("__")[0]
        if first not in known:
            hint = did_you_mean(first, known)
            layers.problems.append(Problem(Origin(name), first, "unknown key", hint))
            continue
        source = _Environment(layers.model)  # type: ignore[arg-type]  # made with a BaseSettings
        source.env_vars = {name.lower(): environ[name]}
        try:
            content = source()
        except SettingsError:
            hint = "write it as JSON, for example '[\"a\"]'"
            layers.problems.append(Problem(Origin(name), first, "cannot be read", hint))
            continue
        layers.add(content, {path: Origin(name) for path in _paths(content) if path})


def _paths(content: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: list[tuple[str | int, object]] = []
    if isinstance(content, dict):
        items = list(content.items())
    elif isinstance(content, list):
        items = list(enumerate(content))
    return [at, *(path for key, value in items for path in _paths(value, (*at, key)))]

"""A level as it is kept for long; as pydantic leaves it, it takes twice the room."""

from sys import intern

from schemas.alerts import AlertLevel

_FIELDS = set(AlertLevel.model_fields)
_set = object.__setattr__


def lean(level: AlertLevel) -> AlertLevel:
    """The same level, whose texts are one with those of other alerts that are the same.

    Its attributes lie in a dictionary whose keys all levels share, and all share the set of fields
    that were given: a checkpoint writes every field anyway.
    """
    kept = AlertLevel.__new__(AlertLevel)
    for name, value in level.__dict__.items():
        _set(kept, name, value)
    _set(kept, "labels", {name: intern(value) for name, value in level.labels.items()})
    _set(kept, "annotations", {name: intern(value) for name, value in level.annotations.items()})
    _set(kept, "generator_url", intern(level.generator_url))
    _set(kept, "__pydantic_fields_set__", _FIELDS)
    _set(kept, "__pydantic_extra__", None)
    _set(kept, "__pydantic_private__", None)
    return kept

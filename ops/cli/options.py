"""From typed options to settings."""

import argparse
from pathlib import Path

from ops.cli.terminal import complain
from ops.settings import Loaded, load

_KEYS = ("profile", "data", "listen", "rules", "routes", "matchers", "route_prefix")


def settings_of(arguments: argparse.Namespace) -> Loaded:
    """The settings with this command's options over them; warnings go to standard error.

    Raises `Problems`.
    """
    options = {key: value for key in _KEYS if (value := getattr(arguments, key, None)) is not None}
    loaded = load(Path(arguments.config) if arguments.config else None, options)
    for warning in loaded.warnings:
        complain(f"{warning} (warning)")
    return loaded

"""`tocsin version`."""

import argparse
import json
import platform
from importlib.metadata import PackageNotFoundError, version


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    try:
        found = version("tocsin")
    except PackageNotFoundError:
        found = "unknown (not installed)"
    python = platform.python_version()
    if arguments.json:
        print(json.dumps({"tocsin": found, "python": python}))
    else:
        print(f"tocsin {found} (Python {python})")
    return 0

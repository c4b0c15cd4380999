"""`tocsin up`: everything here, embedded."""

import argparse
from typing import Final

from ops import logs
from ops.cli.options import settings_of
from ops.config_problems import did_you_mean
from schemas.errors import Refused

STAGES: Final = frozenset({"agent", "detector", "historian", "router", "courier", "console"})


def run(arguments: argparse.Namespace) -> int:
    """Until a signal ends it."""
    only = stages(arguments.only)
    loaded = settings_of(arguments)
    logs.configure(loaded.settings.logging.level, loaded.settings.logging.format)
    from ops import up
    from ops.cli.check import file_problems

    return up.run(loaded.settings, only, lambda: file_problems(loaded))


def stages(text: str | None) -> frozenset[str] | None:
    """The stages of `--only`; None is all of them.

    Raises `Refused`.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in STAGES:
            raise Refused(f"--only: unknown stage {name!r}: {did_you_mean(name, STAGES, 'stages')}")
    if not names:
        raise Refused("--only: names no stage: write for example --only router,courier,console")
    return frozenset(names)

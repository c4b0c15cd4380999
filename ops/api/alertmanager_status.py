"""Alertmanager's status: whom a client talks to, and which configuration is in force."""

import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from ops.api.alertmanager_original import original_of
from ops.api.numbers import when_text
from ops.services import Services

SPEAKS: Final = "0.34.0"
"""The Alertmanager whose API this is; clients look at it to know what they may ask."""


def status_json(services: Services, started: int) -> dict[str, Any]:
    """An alertmanagerStatus; the cluster is this process alone, for the log is what is shared."""
    name = socket.gethostname()
    return {
        "cluster": {
            "name": name,
            "peers": [{"address": name, "name": name}],
            "status": "ready",
        },
        "config": {"original": original_of(services.routing().text)},
        "uptime": when_text(started),
        "versionInfo": {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": f"Python {platform.python_version()}",
            "revision": "",
            "version": f"{SPEAKS}+tocsin.{_version()}",
        },
    }


def _version() -> str:
    try:
        return version("tocsin")
    except PackageNotFoundError:
        return "unknown"

"""Tokens in files that only their owner reads."""

import os
import secrets
from pathlib import Path


def keep_token(path: Path) -> str:
    """The token in this file; a new one if there is none."""
    try:
        found = path.read_text("utf-8").strip()
        if found:
            return found
    except FileNotFoundError:
        pass
    token = secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(token + "\n")
    return token

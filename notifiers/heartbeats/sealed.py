"""The secrets of ping URLs as they may travel and be kept: so that who reads them cannot ping.

They are random and long (20 characters at least), so a plain digest of them is not to be guessed.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

MARK: Final = "sha256-"


def sealed(secret: str) -> str:
    """A secret, sealed; itself of the form that an id or `ping_key` has."""
    return MARK + sha256(secret.encode()).hexdigest()


def named(names: Mapping[str, str], path: str) -> str | None:
    """What the names of sealed secrets have for what stands behind `/ping/`: SECRET or KEY/NAME.

    A plan of an older version has them open. A seal itself opens nothing.
    """
    secret, slash, rest = path.partition("/")
    found = names.get(f"{sealed(secret)}{slash}{rest}")
    return names.get(path) if found is None and not secret.startswith(MARK) else found

"""A signature by which a receiver knows that a message is ours, and fresh.

`t=UNIX,v1=HEX`: HMAC-SHA-256, under the shared secret, over the decimal seconds, a dot, and the
body as it was sent. A receiver recomputes it and refuses what is older than some minutes.
"""

import hmac
from hashlib import sha256


def signature(secret: str, at: int, body: bytes) -> str:
    """The header's value; `at` in seconds."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={digest}"

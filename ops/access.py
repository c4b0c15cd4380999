"""Who may call a server, as the settings say."""

from urllib.parse import urlsplit

from ops.services import LOOPBACK_NAMES, Access
from ops.settings import Settings


def access_of(settings: Settings, token: str) -> Access:
    """What the settings say of who may call, and under which names.

    Any name will do where others can reach the listener: nothing is served there without the
    token. On loopback the names are ours, and that of `external_url`, which a proxy passes on.
    """
    loopback = settings.listen.loopback
    outside = urlsplit(settings.external_url or "")
    named = {outside.hostname} if outside.hostname else set()
    return Access(
        token=token,
        guarded=settings.token is not None or not loopback,
        hosts=LOOPBACK_NAMES | named if loopback else frozenset(),
        origins=frozenset({outside.netloc.lower()} - {""}),
    )

"""Where people do something about an incident: pages of the console, below the external URL."""

from schemas.deliveries import Delivery

LONGEST = 3_000
"""Characters of an address that every channel takes."""


def incident(delivery: Delivery) -> str:
    """The incident's page; empty where there is none to show."""
    return _page(delivery, f"incidents/{delivery.incident}")


def silence(delivery: Delivery) -> str:
    """Where silences are made, with the incident named; empty where there is none to show."""
    return _page(delivery, f"silences?incident={delivery.incident}")


def _page(delivery: Delivery, path: str) -> str:
    base = delivery.external_url
    if not delivery.incident or not base.startswith(("http://", "https://")):
        return ""
    url = f"{base.rstrip('/')}/{path}"
    return url if len(url) <= LONGEST else ""

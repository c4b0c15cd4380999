"""Templates filled in for one delivery; what cannot be filled in is a delivery that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from notifiers.channels.channel import DeliveryFailed, Failure
from schemas.deliveries import Delivery

if TYPE_CHECKING:
    from notifiers.templating import Templates


@dataclass(frozen=True, slots=True)
class Texts:
    """The templates of a courier, and the delivery that they speak of."""

    templates: Templates | None
    delivery: Delivery

    def text(self, template: str) -> str:
        """The template's text. Raises DeliveryFailed."""
        if "{{" not in template:
            return template
        from notifiers.templating import TemplateFailed

        if self.templates is None:
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail="no templates")
        try:
            return self.templates.text(template, self.delivery)
        except TemplateFailed as fault:
            detail = str(fault)[:200]
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from fault

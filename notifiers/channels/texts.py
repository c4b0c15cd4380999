"""Templates filled in for one delivery; what cannot be filled in is a delivery that failed."""

from dataclasses import dataclass

from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.templating import TemplateFailed, Templates
from schemas.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class Texts:
    """The templates of a courier, and the delivery that they speak of."""

    templates: Templates
    delivery: Delivery

    @property
    def location(self) -> str:
        """The time zone of who reads them."""
        return self.templates.location

    def text(self, template: str) -> str:
        """The template's text. Raises DeliveryFailed."""
        return self._filled(template, html=False)

    def html(self, template: str) -> str:
        """The template's HTML, data escaped. Raises DeliveryFailed."""
        return self._filled(template, html=True)

    def _filled(self, template: str, *, html: bool) -> str:
        fill = self.templates.html if html else self.templates.text
        try:
            return fill(template, self.delivery)
        except TemplateFailed as fault:
            detail = str(fault)[:200]
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None

"""Templates in receivers' fields, as Alertmanager has them: the door to this package."""

from notifiers.templating.templates import TemplateFailed, Templates, check

__all__ = ["TemplateFailed", "Templates", "check"]

"""Label sets of a source's samples, built once and then looked up."""

from schemas.labels import Labels, labels_of

_REMEMBERED = 50_000


def clean(text: str) -> str:
    """Text that is valid Unicode: the kernel's names are bytes, and one odd mount point must not
    make a whole batch impossible to encode."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Naming:
    """Gives a metric name and its own labels the labels that all samples of the source carry."""

    def __init__(self, instance: str, job: str) -> None:
        self._common = (("instance", instance), ("job", job))
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], Labels] = {}

    def __call__(self, metric: str, *own: tuple[str, str]) -> Labels:
        """The label set; a steady source pays a lookup."""
        key = (metric, own)
        labels = self._known.get(key)
        if labels is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            labels = labels_of(
                (
                    ("__name__", metric),
                    *self._common,
                    *((name, clean(value)) for name, value in own),
                )
            )
            self._known[key] = labels
        return labels

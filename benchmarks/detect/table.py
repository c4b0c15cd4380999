"""Rows of the comparison, and how they are printed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of Prometheus's and of ours; where less is better, `goal` is theirs by ours."""

    what: str
    unit: str
    theirs: float | None
    ours: float
    goal: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """By how much ours is better."""
        if self.theirs is None or not self.ours:
            return None
        return self.ours / self.theirs if self.more_is_better else self.theirs / self.ours

    @property
    def verdict(self) -> str:
        """Whether the goal is met; nothing where it cannot be said."""
        if self.goal is None or self.ratio is None:
            return ""
        return "met" if self.ratio >= self.goal else "missed"

    def text(self) -> str:
        """As a line of a Markdown table."""
        theirs = "" if self.theirs is None else f"{self.theirs:,.4g}"
        ratio = "" if self.ratio is None else f"{self.ratio:,.1f}"
        goal = "" if self.goal is None else f"≥ {self.goal:g}"
        return (
            f"| {self.what} | {self.unit} | {theirs} | {self.ours:,.4g} | {ratio} | {goal} | "
            f"{self.verdict}{'; ' if self.note and self.verdict else ''}{self.note} |"
        )


HEAD = "| what | unit | Prometheus | Tocsin | ratio | goal | |\n|---|---|---|---|---|---|---|"

"""Our detector's windows and evaluator over a fleet: CPU for a pass over all rules."""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.detect.fleet import T0, Target
from processors.evaluator import Decided, Evaluator
from processors.partials.store import Partials
from processors.rules.together import Together
from processors.rules_plan import RulesPlan
from processors.windows import Windows
from schemas.plan_pieces import cut


class Ours:
    """Rules in force over the samples of a fleet."""

    def __init__(self, targets: Sequence[Target], rules: dict[str, str], interval: int) -> None:
        """`rules` by file name; `interval` (ms) is between two samples of a series."""
        self._targets = [(target, target.block()) for target in targets]
        self._interval = interval
        self.evaluator = Evaluator("detector")
        plan = RulesPlan(files=tuple(rules.items()), evaluation_interval=interval).pack()
        for piece in cut("detector", 1, plan):
            self.evaluator.switch(piece, T0, Decided())
        self.windows = Windows(self.evaluator.uses(), self.evaluator.plan.limits)
        self.windows.partials = self._partials = Partials()
        limits = self.evaluator.plan.limits
        self._partials.adopt(self.evaluator.long_uses(), 1, limits.partial_bytes)
        self._together = Together.of(
            ((), running.group.expressions) for running in self.evaluator.groups
        )
        self._turn = 0

    @property
    def now(self) -> int:
        """The time (ms) of the newest samples."""
        return T0 + self._turn * self._interval

    @property
    def rules(self) -> int:
        """How many rules are in force."""
        return sum(len(running.group.rules) for running in self.evaluator.groups)

    def take(self, turns: int) -> None:
        """So many samples more of every series."""
        for _ in range(turns):
            self._turn += 1
            for target, block in self._targets:
                batch = target.batch(block, self._turn, self.now)
                self.windows.add(batch, np.array([self.now]), self.now)
            self._partials.close(self.windows, self.now)
        self.windows.flushed()

    def evaluate(self) -> tuple[float, Decided]:
        """CPU seconds for all groups at the time of the newest samples, and what they decided."""
        decided = Decided()
        began = time.process_time()
        together = self._together.over(self.windows)
        for running in self.evaluator.groups:
            self.evaluator.evaluate_group(running, together, self.now, decided)
        return time.process_time() - began, decided

    def cost(self, passes: int = 7) -> float:
        """CPU seconds of the cheapest of several passes, new samples before each."""
        spent = []
        for _ in range(passes):
            self.take(1)
            spent.append(self.evaluate()[0])
        return min(spent)

"""How often Python looks for cycles: seldom, for what a stage remembers is large and has few."""

import gc

YOUNG = 50_000
"""Objects more than before that bring about a look at the new ones."""
OLDER = 20


def collect_seldom() -> None:
    """Leave what was imported out of every look, and look through all that is remembered seldom.

    By default Python looks after 700 objects: a third of the CPU of a router that takes in alerts.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)

"""Which tests go to one worker, where several run: those that would make a thing anew there.

Marks that name groups (`--dist loadgroup`) have no effect in xdist 3.8 with pytest 9.2.
"""

from xdist.scheduler import LoadScopeScheduling

BROKER = "kafka"
OF_THE_BROKER = ("test_check_live.py", "test_topics_command.py")
"""Want the run's broker as well, and are not called so."""
EACH_ALONE = ("test_crashes.py", "test_notification_crashes.py")
"""Minutes of tests that share nothing."""


class Company(LoadScopeScheduling):
    """Hands out groups of tests, those of many tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The tests of the run's broker; those of a file, which may share its fixtures; or one test."""
    path, _, _ = nodeid.partition("::")
    file = path.rpartition("/")[2]
    if BROKER in nodeid.lower() or file in OF_THE_BROKER:
        return BROKER
    return nodeid if file in EACH_ALONE else path

"""Which tests go to one worker, where several run: those that would make a thing anew there."""

import pytest

BROKER = "kafka"


def group_of(item: pytest.Item) -> str:
    """A name that these tests share; empty for who needs nobody.

    The broker of a run starts once a worker, the fixtures of a file once a worker that has some of
    its tests.
    """
    if not isinstance(item, pytest.Function):
        return ""
    if "broker" in item.fixturenames or BROKER in item.name.lower():
        return BROKER
    return item.path.name if _of_its_file(item) else ""


def _of_its_file(item: pytest.Function) -> bool:
    known = item._fixtureinfo.name2fixturedefs
    return any(known[name][-1].scope == "module" for name in item.fixturenames if name in known)

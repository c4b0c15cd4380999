"""Whether the workers follow a plan, as they say themselves."""

from ops.plans_followed import Followed
from schemas.plans import Health


def says(worker: str, stage: str = "detector", **figures: float) -> Health:
    return Health(worker=worker, stage=stage, at=1, healthy=True, figures=figures)


def test_partitions_count_once_their_owners_follow_the_plan_or_a_newer_one() -> None:
    followed = Followed("detector", 3)
    followed.add(says("a", partitions=5, plan=2))
    followed.add(says("b", partitions=3, plan=4))
    assert followed.partitions == 3
    followed.add(says("a", partitions=5, plan=3))
    assert followed.partitions == 8


def test_other_stages_standbys_and_workers_that_ended_do_not_count() -> None:
    followed = Followed("router", 1)
    followed.add(says("a", partitions=1, plan=1))
    followed.add(says("b", "router", partitions=0))
    followed.add(says("c", "router", partitions=1, plan=1))
    assert followed.partitions == 1
    followed.add(says("c", "router", partitions=1, plan=1, ended=1))
    assert followed.partitions == 0

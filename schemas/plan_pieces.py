"""A plan on its way: cut into pieces below the message limit, kept, and put together again."""

from hashlib import blake2b

import ormsgpack

from schemas.plans import Plan
from schemas.stage import StateChange

PIECE = 512 * 1024
PREFIX = "plan/"


def digest_of(content: bytes) -> str:
    """What tells one plan's content from another's."""
    return blake2b(content, digest_size=16).hexdigest()


def cut(stage: str, number: int, content: bytes) -> list[Plan]:
    """The pieces of a plan, in order."""
    parts = [content[at : at + PIECE] for at in range(0, len(content), PIECE)] or [b""]
    return [
        Plan(
            stage=stage,
            number=number,
            digest=digest_of(content),
            piece=piece,
            pieces=len(parts),
            content=part,
        )
        for piece, part in enumerate(parts)
    ]


class PlanKeeper:
    """A stage's plans in its checkpoint: the one in force, and pieces of the next."""

    def __init__(self) -> None:
        self.number = 0
        self._parts: dict[int, dict[int, Plan]] = {}

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint, any key under `PREFIX`."""
        plan = Plan.model_validate(ormsgpack.unpackb(value))
        self._parts.setdefault(plan.number, {})[plan.piece] = plan

    def newest(self) -> bytes | None:
        """The content of the newest whole plan, which `number` then names."""
        for number in sorted(self._parts, reverse=True):
            content = _joined(self._parts[number])
            if content is not None:
                self.number = number
                return content
        return None

    def add(self, piece: Plan) -> tuple[bytes | None, list[StateChange]]:
        """Take a piece; the content once it is whole, and what to checkpoint.

        Pieces of a plan that is not newer than the one in force are ignored. Pieces under the
        same number but of another content give way, so that two publishers cannot wedge a stage.
        """
        if piece.number <= self.number:
            return None, []
        parts = self._parts.setdefault(piece.number, {})
        changes = [
            StateChange(_key(parts.pop(old.piece)), None)
            for old in tuple(parts.values())
            if (old.digest, old.pieces) != (piece.digest, piece.pieces)
        ]
        parts[piece.piece] = piece
        changes.append(StateChange(_key(piece), ormsgpack.packb(piece.model_dump())))
        return _joined(parts), changes

    def follow(self, number: int) -> list[StateChange]:
        """That plan is in force now: forget the older ones."""
        self.number = number
        return self._forget([old for old in self._parts if old < number])

    def refuse(self, number: int) -> list[StateChange]:
        """That plan is of no use: forget it."""
        return self._forget([number])

    def _forget(self, numbers: list[int]) -> list[StateChange]:
        gone = [piece for number in numbers for piece in self._parts.pop(number, {}).values()]
        return [StateChange(_key(piece), None) for piece in gone]


def _key(piece: Plan) -> str:
    return f"{PREFIX}{piece.number:012d}/{piece.piece:04d}"


def _joined(parts: dict[int, Plan]) -> bytes | None:
    first = next(iter(parts.values()))
    if len(parts) < first.pieces:
        return None
    content = b"".join(parts[piece].content for piece in sorted(parts))
    return content if digest_of(content) == first.digest else None

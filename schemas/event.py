"""What every event on a topic has in common: its kind, its version, and how it is validated."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Milliseconds = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""Milliseconds since 1970-01-01 UTC."""
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""A number that every reader can hold, be it written in JavaScript; MessagePack ends at 64 bits."""
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=65_536)]
Name = Annotated[str, Field(min_length=1, max_length=1_024)]
MAX_ENTRIES = 256


def _few(entries: object) -> object:
    """Refuse a large map before validating, and reporting, each of its entries."""
    if isinstance(entries, dict) and len(entries) > MAX_ENTRIES:
        raise ValueError(f"has {len(entries)} entries, the limit is {MAX_ENTRIES}")
    return entries


LabelMap = Annotated[dict[Name, Text], Field(max_length=MAX_ENTRIES), BeforeValidator(_few)]
Figure = Annotated[float, Field(allow_inf_nan=False)]
Figures = Annotated[dict[Name, Figure], Field(max_length=MAX_ENTRIES), BeforeValidator(_few)]


class Event(BaseModel):
    """A fact on a topic.

    Fields may be added with a default within a version; anything else is a new version, and then
    `upgrade` turns the body of VERSION − 1 into one of VERSION.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64"
    )

    KIND: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def upgrade(cls, body: dict[str, Any]) -> dict[str, Any]:
        """The body of the version before this one, in this version's shape."""
        return body

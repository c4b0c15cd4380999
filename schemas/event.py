"""What every event on a topic has in common: its kind, its version, and how it is validated."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Milliseconds = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""Milliseconds since 1970-01-01 UTC."""
Text = Annotated[str, Field(max_length=65_536)]
Name = Annotated[str, Field(min_length=1, max_length=1_024)]
LabelMap = Annotated[dict[Name, Text], Field(max_length=256)]


class Event(BaseModel):
    """A fact on a topic.

    Fields may be added with a default within a version; anything else is a new version, and then
    `upgrade` turns the body of VERSION − 1 into one of VERSION.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64")

    KIND: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def upgrade(cls, body: dict[str, Any]) -> dict[str, Any]:
        """The body of the version before this one, in this version's shape."""
        return body

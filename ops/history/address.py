"""Where history answers, and as whom one asks."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Address:
    """A ClickHouse HTTP interface: our own child's, or a server's."""

    host: str
    port: int
    user: str = "default"
    token: str = field(default="", repr=False)
    database: str = "default"
    secure: bool = False

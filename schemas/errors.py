"""The errors of the pipeline, and what becomes of the work that met them.

    TocsinError
    ├── Undecodable          bury: the bytes are not an event we know; dead letter with reason
    ├── Refused              stop or answer: configuration, rules or a call are wrong; nothing ran
    │   └── TooLarge         split or refuse: above the message limit
    ├── LogAway              retry: the log does not answer; spool and try again
    │   └── LogFull          retry: no room for inputs; decisions still have their reserve
    ├── DataDirectoryError   stop: in use by another process, or of a newer version
    └── HistoryError         in ops/history: retry or stop, never in the way of a page

Three fates and no fourth: retry, bury, stop.
"""

from enum import StrEnum


class TocsinError(Exception):
    """Everything this project raises on purpose."""


class Reason(StrEnum):
    """Why a record became a dead letter; also the metric label and the history column."""

    NOT_MSGPACK = "not MessagePack"
    NOT_AN_ENVELOPE = "not an envelope"
    UNKNOWN_SCHEMA = "unknown schema"
    UNKNOWN_VERSION = "unknown version"
    INVALID_EVENT = "invalid event"
    INVALID_COLUMNS = "invalid columns"
    TOO_LARGE = "too large"
    STAGE_FAILED = "stage failed"
    DELIVERY_FAILED = "delivery failed"
    DELIVERY_EXPIRED = "delivery expired"


MAX_DETAIL = 1_000
"""Characters of a detail; it may quote the bad bytes, and they may be a whole message."""


class Undecodable(TocsinError):
    """The bytes are no event that this version reads: a closed `reason`, a `detail` for people."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail[:MAX_DETAIL]
        super().__init__(f"{reason}: {self.detail}")


class Refused(TocsinError):
    """The caller's input is wrong; the message says where, what and what to do."""


class TooLarge(Refused):
    """A message above the log's limit."""


class LogAway(TocsinError):
    """The log did not take the message, and may later."""


class LogFull(LogAway):
    """No room for inputs; what is left is reserved for decisions."""


class DataDirectoryError(TocsinError):
    """The data directory is in use, newer than this program, or not ours."""

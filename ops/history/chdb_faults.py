"""The engine's errors as ClickHouse's HTTP interface words them: a status, a code and one line."""

import re

_DOUBLED = re.compile(r"^(?:Code: \d+\. DB::\w*Exception: )+(?=Code: \d+\. DB::)")
_OUR_FILE = re.compile(r"\s*: \(in file/uri [^)]*\)")
"""Inserts' data reach the engine as a file of ours, of which a client knows nothing."""
_CODE = re.compile(r"Code: (\d+)\. DB::")

SYNTAX_ERROR = 62
AUTHENTICATION_FAILED = 516
ACCESS_DENIED = 497
NOT_IMPLEMENTED = 48
TOO_LARGE = 223
TOO_MANY_QUERIES = 202
UNKNOWN_SETTING = 115

# ClickHouse's exceptionCodeToHTTPStatus.cpp groups them so; whatever is not named is 500.
_WRONG_INPUT = (6, 26, 27, 33, 36, 38, 41, 42, 43, 53, 62, 69, 72, 117, 130, 427, 456, 457)
_STATUS = {
    **dict.fromkeys(_WRONG_INPUT, 400),
    **dict.fromkeys((164, 192, 193, 497, 516), 403),
    **dict.fromkeys((16, 46, 47, 50, 56, 60, 73, 81, 115), 404),
    159: 408,
    TOO_LARGE: 413,
    NOT_IMPLEMENTED: 501,
    TOO_MANY_QUERIES: 503,
}


class EngineFault(Exception):
    """The engine, or the door before it, refused a statement."""

    def __init__(self, message: str, code: int, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status or _STATUS.get(code, 500)


def named(code: int, name: str, message: str, status: int | None = None) -> EngineFault:
    """A fault of our own in ClickHouse's words."""
    return EngineFault(f"Code: {code}. DB::Exception: {message} ({name})", code, status)


def translated(error: Exception) -> EngineFault:
    """The engine's exception with its doubled prefix removed and its code read out."""
    text = _OUR_FILE.sub("", _DOUBLED.sub("", str(error).strip()))
    code = _CODE.search(text)
    if code is None:
        return EngineFault(f"Code: 1001. DB::Exception: {text} (STD_EXCEPTION)", 1001)
    return EngineFault(text, int(code[1]))

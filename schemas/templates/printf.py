"""Go's `fmt`: `print`, `println` and `printf` over the values of templates."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schemas.templates import numbers
from schemas.templates.errors import TooMuch, Unexpandable
from schemas.templates.quoting import quoted
from schemas.templates.values import Slice, Typed, Value, text, type_name

LONGEST = 1_000_000
"""Characters of one text: more is a mistake, or malice."""
_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<first>\[[^\]]*\])?(?P<width>\*|\d+)?"
    r"(?:(?P<dot>\.)(?P<second>\[[^\]]*\])?(?P<precision>\*|\d+)?)?(?P<third>\[[^\]]*\])?"
    r"(?P<verb>.)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Form:
    """What stands between the percent sign and its verb."""

    verb: str
    flags: str
    width: int | None
    precision: int | None

    def padded(self, shown: str, zeros: bool = True) -> str:
        """The text at its width; zeros go to the left only."""
        if self.width is None:
            return shown
        if "-" in self.flags:
            return shown.ljust(self.width)
        return shown.rjust(self.width, "0" if zeros and "0" in self.flags else " ")


def sprint(arguments: Sequence[Value]) -> str:
    """`print`: a space between two operands when neither is a string."""
    shown, before = [], True
    for each in arguments:
        string = isinstance(each, str)
        shown.append(text(each) if before or string else f" {text(each)}")
        before = string
    return bounded("".join(shown))


def sprintln(arguments: Sequence[Value]) -> str:
    """`println`: a space between operands, and a newline."""
    return bounded(" ".join(text(each) for each in arguments) + "\n")


def sprintf(form: str, arguments: Sequence[Value]) -> str:
    """`printf`: what does not fit is shown as Go shows it, and raises nothing."""
    printing = _Printing(arguments)
    return bounded("".join(printing.parts(form)))


def bounded(shown: str) -> str:
    """The text, unless it is absurdly long."""
    if len(shown) > LONGEST:
        raise TooMuch(f"text of more than {LONGEST} characters")
    return shown


class _Printing:
    """One pass over a format and its arguments."""

    def __init__(self, arguments: Sequence[Value]) -> None:
        self.arguments, self.at = arguments, 0
        self.reordered, self.sound = False, True

    def parts(self, form: str) -> Iterator[str]:
        """The text, piece by piece."""
        end = 0
        for found in _VERB.finditer(form):
            yield form[end : found.start()]
            yield self.verb(found)
            end = found.end()
        yield form[end:]
        if not self.reordered and self.at < len(self.arguments):
            extra = (
                "<nil>" if each is None else f"{type_name(each)}={text(each)}"
                for each in self.arguments[self.at :]
            )
            yield f"%!(EXTRA {', '.join(extra)})"

    def verb(self, found: re.Match[str]) -> str:
        """One verb with its argument."""
        self.sound = True
        complaint = ""
        flags = found["flags"]
        self.index(found["first"])
        width, precision = None, None
        if found["width"] == "*":
            width, ok = self.number()
            complaint += "" if ok else "%!(BADWIDTH)"
            if width is not None and width < 0:
                width, flags = -width, flags.replace("0", "") + "-"
        elif found["width"]:
            width = int(found["width"])
            self.sound &= not found["first"] and width <= LONGEST
        if found["dot"]:
            self.sound &= not (found["first"] and not found["width"])
            self.index(found["second"])
            if found["precision"] == "*":
                precision, ok = self.number()
                precision = None if precision is not None and precision < 0 else precision
                complaint += "" if ok and precision is not None else "%!(BADPREC)"
            else:
                precision = int(found["precision"] or 0)
                self.sound &= not (found["precision"] and found["second"])
        self.index(found["third"])
        verb = found["verb"]
        if verb is None:
            return complaint + "%!(NOVERB)"
        if verb == "%":
            return complaint + "%"
        if not self.sound:
            return f"{complaint}%!{verb}(BADINDEX)"
        if self.at >= len(self.arguments):
            return f"{complaint}%!{verb}(MISSING)"
        if max(width or 0, precision or 0) > LONGEST:
            raise Unexpandable(f"printf: a width of more than {LONGEST} characters")
        value = self.arguments[self.at]
        self.at += 1
        return complaint + printed(value, _Form(verb, flags, width, precision))

    def index(self, written: str | None) -> None:
        """`[2]`: the next argument is the second one."""
        if written is None:
            return
        self.reordered = True
        inner = written[1:-1]
        if inner.isascii() and inner.isdigit() and 0 < int(inner) <= len(self.arguments):
            self.at = int(inner) - 1
        else:
            self.sound = False

    def number(self) -> tuple[int | None, bool]:
        """An argument that is a width or a precision."""
        if self.at >= len(self.arguments):
            return None, False
        value = self.arguments[self.at]
        self.at += 1
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LONGEST:
            return value, True
        return None, False


def printed(value: Value, form: _Form) -> str:
    """A value by its verb."""
    if value is None:
        return form.padded("<nil>") if form.verb in "vT" else f"%!{form.verb}(<nil>)"
    if form.verb == "v":
        # With `v` the sharp and the plus are about Go's syntax, not about numbers.
        form = replace(form, flags=form.flags.replace("+", "").replace("#", "Q"))
    if form.verb == "T":
        return form.padded(_cut(type_name(value), form.precision))
    shown = printed_as(value, form)
    if shown is None:
        plain = printed_as(value, replace(form, verb="g" if isinstance(value, float) else "v"))
        return f"%!{form.verb}({type_name(value)}={plain})"
    return shown


def printed_as(value: Value, form: _Form) -> str | None:
    """A value by a verb of its type; nothing where the verb is none of its type."""
    match value:
        case Slice() if form.verb not in "vs":
            return "[" + " ".join(printed(each, form) for each in value) + "]"
        case Typed() if form.verb in "vs":
            return form.padded(_cut(text(value), form.precision))
        case Typed() if form.verb == "q":
            return _string(text(value), form)
        case bool():
            return form.padded(text(value)) if form.verb in "tv" else None
        case int():
            return _integer(value, form)
        case float():
            return _float(value, form)
        case str():
            return _string(value, form)
    return form.padded(_cut(text(value), form.precision)) if form.verb in "vs" else None


def _cut(shown: str, precision: int | None) -> str:
    return shown if precision is None else shown[:precision]


def _string(value: str, form: _Form) -> str | None:
    cut = _cut(value, form.precision)
    if form.verb == "q" and "#" in form.flags and "`" not in cut and cut.isprintable():
        return form.padded(f"`{cut}`")
    if form.verb == "q" or (form.verb == "v" and "Q" in form.flags):
        return form.padded(quoted(cut, only_ascii="+" in form.flags))
    if form.verb in "sv":
        return form.padded(cut)
    if form.verb in "xX":
        mark = "0x" if "#" in form.flags else ""
        octets = [f"{each:02x}" for each in value.encode()[: form.precision]]
        spaced = " " in form.flags
        shown = f" {mark}".join(octets) if spaced else "".join(octets)
        shown = mark + shown if octets else ""
        return form.padded(shown.upper() if form.verb == "X" else shown)
    return None


def _printable(value: int) -> bool:
    return 0 <= value <= 0x10FFFF and chr(value).isprintable()


def _rune(value: int, only_ascii: bool) -> str:
    sound = 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000
    rune = chr(value) if sound else "\ufffd"
    if rune in "'\"":
        return "'\\''" if rune == "'" else "'\"'"
    return f"'{quoted(rune, only_ascii)[1:-1]}'"


_BASES = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_MARKS = {"b": "0b", "o": "0", "O": "0o", "x": "0x", "X": "0X"}


def _integer(value: int, form: _Form) -> str | None:
    if form.verb == "c":
        return form.padded(chr(value) if 0 <= value <= 0x10FFFF else "\ufffd")
    if form.verb == "U":
        digits = f"{value % 2**64:X}".rjust(max(4, form.precision or 0), "0")
        rune = f" '{chr(value)}'" if "#" in form.flags and _printable(value) else ""
        return form.padded(f"U+{digits}{rune}", zeros=False)
    if form.verb == "q":
        return form.padded(_rune(value, "+" in form.flags))
    if form.verb not in _BASES:
        return None
    digits = format(abs(value), _BASES[form.verb])
    if form.precision == 0 and value == 0:
        return form.padded("", zeros=False)
    if form.precision is not None:
        digits = digits.rjust(form.precision, "0")
    sign = _sign(value < 0, form.flags)
    mark = _MARKS.get(form.verb, "") if "#" in form.flags or form.verb == "O" else ""
    if "0" in form.flags and "-" not in form.flags and form.precision is None:
        digits = digits.rjust((form.width or 0) - len(sign), "0")
    return form.padded(sign + mark + digits, zeros=False)


def _sign(negative: bool, flags: str) -> str:
    return "-" if negative else "+" if "+" in flags else " " if " " in flags else ""


def _float(value: float, form: _Form) -> str | None:
    if form.verb not in "vgGeEfFxXb":
        return None
    odd = numbers.special(value)
    flags = form.flags
    if odd is not None:
        if odd == "NaN":
            return form.padded(_sign(False, flags) + odd, zeros=False)
        shown = " Inf" if odd == "+Inf" and " " in flags and "+" not in flags else odd
        return form.padded(shown, zeros=False)
    digits = _digits(value, form)
    sign = _sign(digits.startswith("-"), flags)
    digits = digits.removeprefix("-")
    if "0" in flags and "-" not in flags:
        digits = digits.rjust((form.width or 0) - len(sign), "0")
    return form.padded(sign + digits, zeros=False)


def _digits(value: float, form: _Form) -> str:
    verb = form.verb
    if verb in "xX":
        shown = numbers.hexadecimal(value, form.precision)
        return shown.upper() if verb == "X" else shown
    if verb == "b":
        return numbers.binary(value)
    if verb in "vgG" and form.precision is None:
        shown = numbers.number(value)
    else:
        digits = 6 if form.precision is None else form.precision
        shown = format(value, f".{digits}{_PLAIN[verb]}")
    if "#" in form.flags:
        most = (6 if form.precision is None else form.precision) if verb in "vgG" else 0
        shown = _sharpened(shown, most)
    return shown.upper() if verb in "GE" else shown


def _sharpened(shown: str, most: int) -> str:
    """With the sharp flag: always a point, and `g` keeps its zeros."""
    sign = "-" if shown.startswith("-") else ""
    front, mark, power = shown.removeprefix("-").partition("e")
    digits = front.replace(".", "").lstrip("0")
    missing = most - len(digits)
    if "." not in front:
        missing -= front == "0"
        front += "."
    return sign + front + "0" * max(missing, 0) + mark + power


_PLAIN = {"v": "g", "g": "g", "G": "g", "e": "e", "E": "e", "f": "f", "F": "f"}

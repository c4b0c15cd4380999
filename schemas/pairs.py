"""Names and their values in one run of bytes: a label set that is compared, kept and sent whole.

Each name and each value ends with 0xff, which occurs in no UTF-8; names are in order. So equal
sets are equal bytes, and the bytes of a label set are what its fingerprint is the hash of
(prometheus/common `model/signature.go`). A set of six labels takes one object instead of thirteen.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice, repeat

from schemas.event import MAX_ENTRIES

END = b"\xff"
_NUL = "\0"
_NAME, _VALUE = 1_024, 65_536
"""Characters that a name and a value may have."""


def packed(pairs: Mapping[str, str]) -> bytes:
    """These pairs, by name.

    Raises UnicodeEncodeError for half a surrogate pair, which is no text, and TypeError for what is
    no text at all.
    """
    words = [*chain.from_iterable(sorted(pairs.items())), ""]
    # Through NUL, which hardly any text holds: most labels are ASCII, and stay so until the end.
    text = _NUL.join(words)
    if text.count(_NUL) < len(words):
        return text.encode().replace(b"\0", END)
    return END.join([word.encode() for word in words])


def packed_labels(labels: Mapping[str, str]) -> bytes:
    """The same of a label set, in which an empty value is a missing one."""
    if "" in labels.values():
        labels = {name: value for name, value in labels.items() if value}
    return packed(labels)


def unpacked(pairs: bytes) -> dict[str, str]:
    """The pairs by name, in order."""
    if b"\0" in pairs:
        words = iter([word.decode() for word in pairs.split(END)])
    else:
        words = iter(pairs.replace(END, b"\0").decode().split(_NUL))
    # What follows the last mark is empty, and no name. Saying `strict` costs a third of it all.
    return dict(zip(words, words))  # noqa: B905


def each_unpacked(sets: Sequence[bytes]) -> list[dict[str, str]]:
    """`unpacked` of each of these, in half its time."""
    whole = b"".join(sets)
    if b"\0" in whole:
        return [unpacked(one) for one in sets]
    words, found = iter(whole.replace(END, b"\0").decode().split(_NUL)), []
    for one in sets:
        own = islice(words, one.count(END))
        found.append(dict(zip(own, own)))  # noqa: B905 (as above)
    return found


Finder = Callable[[bytes], re.Match[bytes] | None]
"""What finds one name's value in pairs: the match's first group."""


def finder(name: str) -> Finder:
    """For who looks at a few values only: to take all pairs apart costs four times as much."""
    pair = rb"(?:[^\xff]*+\xff[^\xff]*+\xff)*?"
    return re.compile(pair + re.escape(name.encode()) + rb"\xff([^\xff]*+)\xff").match


def canonical(sets: Iterable[bytes]) -> list[bytes]:
    """The same label sets as `packed_labels` packs them, whoever packed these."""
    found, good = [], list[bytes]()
    for labels in sets:
        names = labels.split(END)[:-1:2]
        # Mostly the names are those of the set before, and to compare them costs the least.
        if names != good and names == sorted(set(names)):
            good = names
        is_packed = names == good and END + END not in labels
        found.append(labels if is_packed else packed_labels(unpacked(labels)))
    return found


def problem(sets: Iterable[bytes]) -> str:
    """What keeps these from being sets of pairs within the limits of an event; empty if nothing."""
    every = [one for one in sets if one]
    whole = b"".join(every)
    try:
        # All at once: a character that is cut off at an end is found below.
        whole.replace(END, b"\0").decode()
    except UnicodeDecodeError as fault:
        return f"a text is no UTF-8: {fault.reason}"
    if _is_plain(every, whole):
        return ""
    return next(filter(None, [_problem(one) for one in every if not _is_plain([one], one)]), "")


def _is_plain(every: Sequence[bytes], whole: bytes) -> bool:
    """Whether all are whole, short, and without empty texts, as nearly all are: then all is well.

    Asked of all together: to ask one after the other takes twice the time.
    """
    return (
        max(map(len, every), default=0) <= _NAME
        and whole[:1] != END
        and END + END not in whole
        and all(map(bytes.endswith, every, repeat(END)))
        and not any(count & 1 for count in map(bytes.count, every, repeat(END)))
    )


def _problem(pairs: bytes) -> str:
    """The same of one that may have any."""
    if not pairs.endswith(END) or pairs.count(END) % 2:
        return "a name or a value has no end"
    if (count := pairs.count(END) // 2) > MAX_ENTRIES:
        return f"has {count} entries, the limit is {MAX_ENTRIES}"
    for name, value in unpacked(pairs).items():
        if not 0 < len(name) <= _NAME:
            return f"a name has {len(name)} characters, the limits are 1 and {_NAME}"
        if len(value) > _VALUE:
            return f"{name}: has {len(value)} characters, the limit is {_VALUE}"
    return ""

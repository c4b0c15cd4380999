"""What is expected and what came, line by line."""

from difflib import ndiff


def difference(expected: str, got: str, indent: str) -> str:
    """Lines that are only expected begin with `-`, those that only came with `+`."""
    lines = ndiff(expected.split("\n"), got.split("\n"))
    kept = [line.rstrip() for line in lines if not line.startswith("?")]
    return f"\n{indent}".join(["", *kept])

"""Keys of a channel's configuration that are templates."""

from notifiers.yaml_reader import Section


def templated(found: Section, key: str, default: str = "") -> str:
    """The template under a key, or the default; what is wrong with it is noted."""
    text = found.parsed(key, checked)
    return default if text is None else text


def templates(found: Section, key: str) -> tuple[str, ...]:
    """The templates in the list under a key; what is wrong with one is noted at it."""
    texts = found.texts(key)
    for text, node in texts:
        try:
            checked(text)
        except ValueError as fault:
            found.problem(key, str(fault), at=node)
    return tuple(text for text, _ in texts)


def secret_template(found: Section, key: str) -> str:
    """The same for a secret, which no message repeats."""
    return found.parsed(key, _checked_quietly) or ""


def checked(text: str) -> str:
    """The template itself. Raises ValueError, with the position in it."""
    if "{{" in text:
        # Here, for a file without templates needs none of their language.
        from notifiers.templating import check

        check(text)
    return text


def _checked_quietly(text: str) -> str:
    try:
        return checked(text)
    except ValueError:
        raise ValueError("not a template that is understood") from None

"""What people type, made fit to keep."""

from __future__ import annotations

from portal.errors import InvalidInput

LONGEST_LINE = 200


def clean_line(text: str, field: str, what: str) -> str:
    """One line without control characters or outer blanks. Raises InvalidInput when blank."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not line:
        raise InvalidInput(f"Enter {what}.", field=field)
    if len(line) > LONGEST_LINE:
        raise InvalidInput(f"Use at most {LONGEST_LINE} characters.", field=field)
    return line

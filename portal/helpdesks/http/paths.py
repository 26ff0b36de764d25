"""Where something stands in an answer: `id`, `ticket.id`, `items[0].id`."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_STEP = re.compile(r"\.?([^\s.\[\]]+)|\[([0-9]{1,4})\]")


class BadPath(Exception):
    """The argument is a sentence for people."""


def read_path(text: str) -> Path:
    """Its steps; none of an empty one, which is the whole answer. Raises BadPath."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found[1] and found[0].startswith(".") == (at == 0)):
            raise BadPath(
                f"At “{text[at : at + 20]}” it cannot be read. Write names with dots between them, "
                "and numbers of a list in brackets, such as id, ticket.id or items[0].id."
            )
        steps.append(found[1] or int(found[2]))
        at = found.end()
    return tuple(steps)

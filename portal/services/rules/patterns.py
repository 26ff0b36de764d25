"""Regular expressions of people: RE2's, which take no longer the more cunning they are.

Pure: knows neither Flask nor the database.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import re2

from portal.errors import InvalidInput

LONGEST_PATTERN = 500
_MOST_MEMORY = 1 << 20
"""Bytes that one compiled pattern may take up."""
_OUR_WORDS = {
    "missing )": "A bracket “(” is opened and not closed.",
    "unexpected )": "A bracket “)” is closed that was not opened.",
    "missing ]": "A bracket “[” is opened and not closed.",
    "no argument for repetition operator": "Before “{part}” there must be what it repeats.",
    "bad repetition operator": "“{part}” repeats a repetition. Put what it repeats in brackets.",
    "invalid repetition size": (
        "“{part}” cannot be used: repeat at most 1,000 times in all, the smaller number first."
    ),
    "invalid perl operator": (
        "“{part}” cannot be used. Patterns here know no look-ahead, look-behind or comments."
    ),
    "invalid escape sequence": (
        "“{part}” cannot be used. To find a backslash, write two; for the end of the text, “$”."
    ),
    "invalid character class range": "“{part}” is no range or class of characters.",
    "trailing \\": "The pattern ends with a backslash. To find a backslash, write two.",
    "invalid named capture group": "“{part}” cannot be used as the name of a group.",
    "pattern too large": "The pattern is too large. Repeat less, or make two rules of it.",
}


class Pattern(Protocol):
    def search(self, text: str) -> object | None: ...


@lru_cache(maxsize=1000)
def compile_pattern(sought: str) -> Pattern:
    """To be found in any capitals. Raises InvalidInput, which says what is wrong."""
    if len(sought) > LONGEST_PATTERN:
        raise InvalidInput(f"Use at most {LONGEST_PATTERN} characters.", field="text")
    options = re2.Options()
    options.log_errors, options.max_mem, options.case_sensitive = False, _MOST_MEMORY, False
    try:
        pattern: Pattern = re2.compile(sought, options)
    except UnicodeEncodeError:
        raise InvalidInput("The pattern has a character that is none.", field="text") from None
    except re2.error as error:
        raise InvalidInput(_explain(error), field="text") from None
    return pattern


def _explain(error: Exception) -> str:
    said = error.args[0]
    said = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    what, _, part = said.partition(": ")
    for start, words in _OUR_WORDS.items():
        if what.startswith(start):
            return words.format(part=part)
    return f"The pattern cannot be used: {said}."

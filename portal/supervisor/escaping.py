"""Text that strangers had a hand in, made fit for a log or a terminal."""

from __future__ import annotations

import re
import traceback

LONGEST_LINE = 1000
LONGEST_TEXT = 10 * LONGEST_LINE
MOST_LINES = 100
"""Of a traceback. What is left out lies in its middle."""

_UNUSUAL = re.compile(r"[^\x20-\x7e]")


def escape(text: str, longest: int = LONGEST_LINE) -> str:
    """One line, cut after `longest` letters, without control characters or their like."""
    line = _UNUSUAL.sub(_escape_unprintable, text[:longest])
    if len(line) <= longest and len(text) <= longest:
        return line
    return f"{line[:longest]}… ({len(text):,} characters)"


def _escape_unprintable(found: re.Match[str]) -> str:
    letter = found.group()
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def describe(error: BaseException) -> str:
    """Its traceback, for a terminal."""
    return "\n".join(cut_lines("".join(traceback.format_exception(error))))


def escape_lines(text: str) -> str:
    """What people shall read in several lines, each of them escaped."""
    return "\n".join(escape(line, LONGEST_TEXT) for line in text.splitlines())


def cut_lines(text: str) -> list[str]:
    """Each escaped; of too many, the first and the last."""
    lines = [escape(line) for line in text.splitlines() if line]
    if len(lines) <= MOST_LINES:
        return lines
    half = MOST_LINES // 2
    return [*lines[:half], f"… {len(lines) - 2 * half} lines", *lines[-half:]]

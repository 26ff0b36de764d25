"""Rows of plain values as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_BEFORE = rf"[;\"'{_UNSEEN}]"
_FORMULA = re.compile(rf"(?<!{_BEFORE}){_BEFORE}*+(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""A sign, perhaps full-width, that may begin a formula, and what may stand before it. Each run is
looked through once: a message may be thousands of empty lines."""
_SEPARATOR = re.compile(r".*[;\t\r\n]", re.DOTALL)


def to_csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """CSV line by line, with a heading."""
    columns = list(columns)
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(columns)
    for row in rows:
        yield _take(line)
        writer.writerow([_safe_cell(row[name]) for name in columns])
    yield _take(line)


def _take(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def _safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: hostnames and users come from outside."""
    if isinstance(value, list):
        value = " ".join(value)
    if not isinstance(value, str):
        return value
    value = _FORMULA.sub(_quote, value)
    return "'" + value if value[:1] in ("\t", "\r", "\n") else value


def _quote(found: re.Match[str]) -> str:
    """With an apostrophe where the sign's cell begins, should semicolons or tabs separate, too."""
    before = found.group()
    separated = _SEPARATOR.match(before)
    if separated is None and found.start() > 0:
        return before
    at = separated.end() if separated else 0
    return f"{before[:at]}'{before[at:]}"

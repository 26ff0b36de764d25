"""What may come in: ids that a database can hold, text of some length without NUL."""

from __future__ import annotations

from datetime import date
from urllib.parse import SplitResult, urlsplit

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter, Map

from portal.clock import FIRST_DAY, LAST_DAY
from portal.errors import InvalidInput
from portal.extensions import htmx
from portal.services.database import LARGEST_ID

LONGEST_NUMBER = len(str(LARGEST_ID)) - 1
"""Digits that every column of numbers can hold."""
LONGEST_VALUE = 8192
"""Of one field. A secret may have 4096 letters, and an address a few thousand."""


class IdConverter(IntegerConverter):
    """`<int:…>` of every route: a larger number is nobody's id, and no page."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST_ID)


def init_app(app: Flask) -> None:
    app.url_map.converters["int"] = IdConverter


def to_id(text: str) -> int:
    """For `request.args.get(…, type=to_id)`. Raises ValueError for what cannot be an id."""
    number = int(text)
    if not 0 < number <= LARGEST_ID:
        raise ValueError(text)
    return number


def to_day(text: str) -> date | None:
    """The day of an address, `2026-11-30`; None for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def to_number(text: str) -> int | None:
    """The whole number that a person typed; None for anything else, such as `-1` or `1e3`."""
    digits = text.strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_NUMBER
    return int(digits) if is_number else None


def wants_all_matching() -> bool:
    """Of a form: all that the filters of its address show, and not those that are ticked."""
    return request.form.get("which") == "all"


def read_number(name: str, problem: str = "Enter a whole number.") -> int | None:
    """What was typed into a field; None for a blank one. Raises InvalidInput with the problem."""
    text = request.form.get(name, "").strip()
    number = to_number(text)
    if text and number is None:
        raise InvalidInput(problem, field=name)
    return number


def split_current_url() -> SplitResult:
    """The address of the page that sent a fragment's request; empty when it names none."""
    try:
        return urlsplit(htmx.current_url or "")
    except ValueError:  # a header can say anything
        return urlsplit("")


def check_input() -> None:
    """Before the views of a blueprint. PostgreSQL cannot store a NUL and nobody types one; nor
    does anybody type a page into a field, whose own limit the services know."""
    lists = (*request.args.listvalues(), *request.form.listvalues())
    sent = [request.path, *(text for texts in lists for text in texts)]
    if any("\0" in text for text in sent):
        abort(400)
    if any(len(text) > LONGEST_VALUE for text in sent):
        abort(413)

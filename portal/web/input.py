"""What may come in: ids that a database can hold, text without NUL."""

from __future__ import annotations

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter, Map

LARGEST_ID = 2**63 - 1


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


def refuse_nul() -> None:
    """Before the views of a blueprint: PostgreSQL cannot store it, nobody types it."""
    sent = [request.path, *request.args.values(), *request.form.values()]
    if any("\0" in text for text in sent):
        abort(400)

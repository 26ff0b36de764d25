"""What the API answers: one record, or a part of a list; with an ETag, so that who has it already
is told so and no more."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue

from portal.api.authentication import get_access
from portal.api.cursors import open_cursor, sign_cursor
from portal.config import Settings
from portal.services.api.paging import Items, Part

Record = dict[str, Any]
AddUrl = Callable[[Record], Record]

COUNTS_ON = re.compile(rb'"uptime_seconds":(\d+|null)')
"""The one fact that time alone changes: an answer that differs in nothing else is no other one. In
a text the quotation marks would be escaped."""


def answer_list(
    arguments: Mapping[str, Any], read: Callable[[Part], Items], add_url: AddUrl
) -> ResponseReturnValue:
    """`{"items": […], "next": cursor or null}`."""
    cursor = arguments.get("cursor")
    after = None if cursor is None else open_cursor(cursor, arguments)
    found = read(Part(arguments["limit"], after))
    following = None if found.end is None else sign_cursor(found.end, arguments)
    return _answer({"items": [add_url(each) for each in found.records], "next": following})


def answer_one(record: Record, add_url: AddUrl) -> ResponseReturnValue:
    return _answer(add_url(record))


def page_url(endpoint: str, parameter: str, name: str = "id") -> AddUrl:
    """Gives each record the address of its page in the portal. `parameter` is that of the route,
    `name` the record's fact that it takes; without that fact, the address is null."""
    before, _, after = _absolute(endpoint, **{parameter: 0}).rpartition("/0")

    def add(record: Record) -> Record:
        number = record[name]
        record["url"] = None if number is None else f"{before}/{number}{after}"
        return record

    return add


def list_url(endpoint: str, parameter: str, name: str) -> AddUrl:
    """The same, of records that have no page of their own: the list that is searched for them."""

    def add(record: Record) -> Record:
        record["url"] = _absolute(endpoint, **{parameter: record[name]})
        return record

    return add


def _absolute(endpoint: str, **values: Any) -> str:
    settings: Settings = current_app.extensions["settings"]
    base = settings.public_url or request.url_root
    return base.rstrip("/") + url_for(endpoint, slug=get_access().slug, **values)


def _answer(content: Record) -> ResponseReturnValue:
    body = msgspec.json.encode(content)
    response = current_app.response_class(body, mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    etag = hashlib.sha256(COUNTS_ON.sub(b"", body)).hexdigest()[:32]
    response.set_etag(etag, weak=True)
    return response.make_conditional(request)

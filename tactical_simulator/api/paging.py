"""Pages of the beta API."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from flask import Response, request
from werkzeug.datastructures import MultiDict

from tactical_simulator.answers import Refused, Row, rows_answer

T = TypeVar("T")

DEFAULT_SIZE = 100
BIGGEST_SIZE = 1000


class Page:
    """Which part of a list was asked for; a page that does not exist is a JSON 404."""

    def __init__(self, count: int, arguments: MultiDict[str, str]) -> None:
        self.count = count
        self.size = _page_size(arguments.get("page_size", ""))
        self.last = max(1, -(-count // self.size))
        self.number = self._number(arguments.get("page", "1"))

    def _number(self, text: str) -> int:
        number = self.last if text == "last" else _integer(text)
        if not 1 <= number <= self.last:
            raise Refused(404, {"detail": "Invalid page."})
        return number

    def of(self, items: list[T]) -> list[T]:
        start = (self.number - 1) * self.size
        return items[start : start + self.size]

    def answer(self, rows: list[Row]) -> Response:
        head = {"count": self.count, "next": self._link(1), "previous": self._link(-1)}
        return rows_answer(rows, msgspec.json.encode(head)[:-1] + b',"results":[', b"]}")

    def _link(self, step: int) -> str | None:
        """Absolute, from the request's host; page 1 is the address without a page."""
        number = self.number + step
        if not 1 <= number <= self.last:
            return None
        arguments = request.args.copy()
        arguments.pop("page", None)
        if number > 1:
            arguments["page"] = str(number)
        query = urlencode(sorted(arguments.items(multi=True)))
        return f"{request.base_url}?{query}" if query else request.base_url


def _page_size(text: str) -> int:
    """More than 1,000 is silently cut, nonsense silently the default."""
    size = _integer(text)
    return min(size, BIGGEST_SIZE) if size > 0 else DEFAULT_SIZE


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0

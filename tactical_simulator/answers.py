"""Answers as Django and its REST framework give them, on success and on failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from flask import Response, current_app, request

from tactical_simulator.settings import EXTENSION
from tactical_simulator.transport.spelling import ListShell, Spelling, spell, spell_shell

JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=utf-8"
ROW_FAULTS = "demo.row_faults"
"""In the environment of a request some of whose rows are to be spoilt (see `faults`)."""

Row = Sequence[bytes]
"""One JSON value in pieces, most of them shared between rows."""

_PAGE = (
    '\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
    "<body>\n  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
)


class Refused(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers or {}


class Crash(Exception):
    """Where the real server runs into an unhandled exception: an HTML page with status 500."""


class NoRoute(Exception):
    """Where no URL pattern matches: an HTML page with status 404."""


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    text = spell(msgspec.json.encode(body), _spelling())
    response = Response(text, status, content_type=JSON_TYPE)
    response.headers.update(headers or {})
    return response


def html(title: str, text: str, status: int) -> Response:
    return Response(_PAGE.format(title=title, text=text), status, content_type=HTML_TYPE)


def not_found_page() -> Response:
    """179 bytes, as on a live server."""
    return html("Not Found", "The requested resource was not found on this server.", 404)


def crash_page() -> Response:
    """145 bytes, as on a live server."""
    return html("Server Error (500)", "", 500)


def notify_error(text: str) -> Refused:
    """Tactical's business errors: a bare JSON string."""
    return Refused(400, text)


def missing(model: str) -> Refused:
    return Refused(404, {"detail": f"No {model} matches the given query."})


def forbidden() -> Refused:
    return Refused(403, {"detail": "You do not have permission to perform this action."})


def invalid(field: str, text: str) -> Refused:
    return Refused(400, {field: [text]})


def rows_answer(rows: list[Row], prefix: bytes = b"[", suffix: bytes = b"]") -> Response:
    """A list, sent row by row: even 111 MB are never held as one piece."""
    spoil: Callable[[list[Row]], list[Row]] | None = request.environ.get(ROW_FAULTS)
    if spoil is not None:
        rows = spoil(rows)
    spelling = _spelling()
    shell = spell_shell(prefix, suffix, spelling)
    length = len(shell.opening) + len(shell.closing) + len(shell.between) * max(len(rows) - 1, 0)
    response = Response(_joined(rows, shell, spelling), content_type=JSON_TYPE)
    response.content_length = length + sum(
        len(part) for row in rows for part in _spelt(row, spelling)
    )
    return response


def _joined(rows: list[Row], shell: ListShell, spelling: Spelling) -> Iterator[bytes]:
    yield shell.opening
    for number, row in enumerate(rows):
        parts = _spelt(row, spelling)
        yield b"".join((shell.between, *parts) if number else parts)
    yield shell.closing


def _spelt(row: Row, spelling: Spelling) -> Row:
    return row if spelling is Spelling.COMPACT else [spell(b"".join(row), spelling)]


def _spelling() -> Spelling:
    state: Any = current_app.extensions[EXTENSION]
    spelling: Spelling = state.settings.spelling
    return spelling

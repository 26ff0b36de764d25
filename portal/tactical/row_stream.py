"""The rows of a list, one by one as its text comes in: a list is never held as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from portal.tactical.decoding import (
    BOM,
    UNDECODABLE,
    Decoder,
    decode_page,
    decode_rows,
    is_json_object,
)

Row = TypeVar("Row")

OPENING_OF_PAGE = b'"results":['
MOST_MISSES = 16
"""So many places in a row that looked like the end of a row and were not."""

_BEGIN = re.compile(rb'\{"[^"\\]{1,60}":')
LONGEST_BEGIN = 80


class RowStream(Generic[Row]):
    """Rows of a plain list, or of a page (`{"count": …, "results": […]}`).

    Where a row ends is guessed, by the text between two rows, and proved by decoding: no part
    of a JSON object that stops short of its end is an object itself. What cannot be guessed (a
    list that somebody formatted, a spoilt row) is collected and decoded at the end as a whole.

    `count` is what a page says of itself, once it was read to its end.
    """

    def __init__(self, decoder: Decoder[Row], *, is_page: bool) -> None:
        self.count = 0
        self._decoder = decoder
        self._is_page = is_page
        self._head = b""
        self._text = bytearray()
        self._between: bytes | None = None
        self._looked = 0
        """Up to where `_text` holds no end of a row that is not known."""
        self._is_collecting = False
        self._misses = 0

    def split(self, chunks: Iterable[bytes]) -> Iterator[Row | msgspec.Raw | bytes]:
        """Each row decoded, or as text where that went wrong.

        Raises UnexpectedAnswer, after the rows before, when the list is no list or was cut off.
        """
        for chunk in chunks:
            self._text += chunk
            if self._between is None and not self._is_collecting:
                self._begin()
            if not self._is_collecting and self._between is not None:
                yield from self._take_rows(self._between)
        whole = self._head + self._text
        self._text.clear()
        if not self._is_page:
            yield from decode_rows(whole)
            return
        rest = decode_page(whole)
        self.count = rest.count
        yield from rest.results

    def _begin(self) -> None:
        """Find where the list begins, and with which key its rows do."""
        if not self._head and not self._take_head():
            return
        if len(self._text) < LONGEST_BEGIN:
            return
        begin = _BEGIN.match(self._text)
        if begin is None:
            self._is_collecting = True
        else:
            self._between = b"}," + begin[0]

    def _take_head(self) -> bool:
        opening = OPENING_OF_PAGE if self._is_page else b"["
        at = self._text.find(opening)
        if at < 0:
            return False
        head = bytes(self._text[: at + len(opening)])
        if not self._is_page and head.removeprefix(BOM).strip() != b"[":
            self._is_collecting = True
            return False
        del self._text[: len(head)]
        self._head = head
        return True

    def _take_rows(self, between: bytes) -> Iterator[Row | bytes]:
        start = 0
        while not self._is_collecting and (end := self._text.find(between, self._looked)) >= 0:
            self._looked = end + 1
            row = self._decode(bytes(self._text[start : end + 1]))
            if row is None:
                self._misses += 1
                self._is_collecting = self._misses > MOST_MISSES
                continue
            self._misses, start = 0, end + 2
            yield row
        del self._text[:start]
        self._looked = max(0, len(self._text) - len(between) + 1)

    def _decode(self, text: bytes) -> Row | bytes | None:
        """None when the text is not a whole row."""
        try:
            return self._decoder.decode(text)
        except UNDECODABLE:
            return text if is_json_object(text) else None

"""The rows of a list, one by one as its text comes in: a list is never held as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

import msgspec

from portal.tactical.errors import UnexpectedAnswer
from portal.tactical.http.request import MIB
from portal.tactical.reading.decoding import UNDECODABLE, Decoder, decode_page, decode_rows

Row = TypeVar("Row")

LARGEST_ROW = 32 * MIB
LONGEST_HEAD = 65_536
FIRST_LOOK = 64

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_HEAD_OF_LIST = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*(?=\S)")
_HEAD_OF_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*\{(?:\s*%b\s*:\s*(?:%b|[^\[\]{}\",]++)\s*,)*+" % (_STRING, _STRING)
    + rb'\s*"results"\s*:\s*\[\s*(?=\S)',
    re.DOTALL,
)
"""Of what stands before the rows, only single values are known; else the page is read whole."""
_BLANKS = re.compile(rb"\s*")
_FOLLOWED = re.compile(r"trailing characters \(byte (\d+)\)")
_TOKEN = re.compile(_STRING + rb'|(?P<cut>")|(?P<begin>[{\[])|(?P<end>[}\]])', re.DOTALL)

_END: Final = ord("]")
_COMMA_OR_END: Final = b",]"
_WITH_ENDS: Final = (b"{", b"[", b'"')
_BROKEN: Final = "A list does not have the expected form, or was cut off."

_skipping = msgspec.json.Decoder(msgspec.Raw)


class RowStream(Generic[Row]):
    """Rows of a plain list, or of a page (`{"count": …, "results": […]}`), however it is spelt.

    msgspec says where a row ends: it skips a value, faster than it decodes one, and complains of
    what follows, naming the place. What it cannot skip (NaN, half of a surrogate pair) is a row
    that we count the brackets of, in Python.

    `count` is what a page says of itself, once it was read to its end.
    """

    def __init__(self, decoder: Decoder[Row], *, is_page: bool) -> None:
        self.count = 0
        self._decoder = decoder
        self._is_page = is_page

    def split(self, chunks: Iterable[bytes]) -> Iterator[Row | msgspec.Raw | bytes]:
        """Each row decoded, or as text where that went wrong.

        Raises UnexpectedAnswer, after the rows before, when the list is no list or was cut off.
        """
        text = _Text(chunks)
        head = self._take_head(text)
        if head and text.held[0] != _END:
            yield from self._take_rows(text)
        whole = head + text.drain()
        if not self._is_page:
            yield from decode_rows(whole)
            return
        rest = decode_page(whole)
        self.count = rest.count
        yield from rest.results

    def _take_head(self, text: _Text) -> bytes:
        """What stands before the first row; nothing, and nothing taken, where that is unknown."""
        pattern = _HEAD_OF_PAGE if self._is_page else _HEAD_OF_LIST
        while (found := pattern.match(text.held)) is None:
            if text.is_ended or len(text.held) > LONGEST_HEAD:
                return b""
            text.grow(max(FIRST_LOOK, 2 * len(text.held)))
        text.held = text.held[found.end() :]
        return found[0]

    def _take_rows(self, text: _Text) -> Iterator[Row | bytes]:
        """All that come whole. What is left begins with the end of the list, unless it is cut."""
        start, wanted = 0, 0
        while True:
            if len(text.held) - start < wanted:
                text.held, start = text.held[start:], 0
                text.grow(wanted)
            end = _find_end(text.held, start, is_all=text.is_ended)
            if end is None and text.is_ended:
                text.held = text.held[start:]
                return
            if end is None:
                wanted = self._double(len(text.held) - start)
                continue
            yield self._decode(memoryview(text.held)[start:end])
            if text.held[end] == _END:
                text.held = text.held[end:]
                return
            # Rows are about as large as each other: before that, a look would be in vain.
            start, wanted = end + 1, end - start

    def _double(self, length: int) -> int:
        """How much text the next look at a row is worth, when so much does not hold it whole: a
        long row must not be skipped with each of its chunks. Raises UnexpectedAnswer."""
        if length > LARGEST_ROW:
            raise UnexpectedAnswer("It contains a record that is too large to read.")
        return 2 * length

    def _decode(self, text: memoryview) -> Row | bytes:
        try:
            return self._decoder.decode(text)
        except UNDECODABLE:
            return bytes(text).strip()


class _Text:
    """What came and is not used yet."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.held = b""
        self.is_ended = False
        self._chunks = iter(chunks)

    def grow(self, size: int) -> None:
        """Hold `size` bytes, or all if there come no more."""
        parts, length = [self.held], len(self.held)
        while length < size and not self.is_ended:
            chunk = next(self._chunks, None)
            self.is_ended = chunk is None
            parts.append(chunk or b"")
            length += len(parts[-1])
        self.held = b"".join(parts)

    def drain(self) -> bytes:
        return b"".join((self.held, *self._chunks))


def _find_end(text: bytes, start: int, *, is_all: bool) -> int | None:
    """The place of the comma or bracket behind the row that begins at `start`; None where more of
    the text is needed to know it, and for a row that is cut off. Raises UnexpectedAnswer.

    Half of a surrogate pair looks cut off to msgspec when it is among the last characters of all.
    """
    try:
        _skipping.decode(memoryview(text)[start:])
    except UNDECODABLE as error:
        message = str(error)
        if found := _FOLLOWED.search(message):
            end: int | None = start + int(found[1]) - 1
        elif "truncated" in message and not is_all:
            return None
        else:
            end = _find_end_by_brackets(text, start)
    else:
        return None
    if end is not None and text[end] not in _COMMA_OR_END:
        raise UnexpectedAnswer(_BROKEN)
    return end


def _find_end_by_brackets(text: bytes, start: int) -> int | None:
    """The same of a row that msgspec does not skip."""
    begin, depth = _skip_blanks(text, start), 0
    if not text.startswith(_WITH_ENDS, begin):
        raise UnexpectedAnswer(_BROKEN)
    for found in _TOKEN.finditer(text, begin):
        if found.lastgroup == "cut":
            return None
        depth += {"begin": 1, "end": -1, None: 0}[found.lastgroup]
        if depth == 0:
            end = _skip_blanks(text, found.end())
            return end if end < len(text) else None
    return None


def _skip_blanks(text: bytes, start: int) -> int:
    """Where the text goes on, or its end."""
    found = _BLANKS.match(text, start)
    assert found is not None
    return found.end()

"""Tactical's JSON into values. What cannot be decoded is an UnexpectedAnswer, whatever it is."""

from __future__ import annotations

import json
import re
from typing import Any, Protocol, TypeVar

import msgspec

from portal.tactical.errors import UnexpectedAnswer

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)

# Nesting that is too deep is a RecursionError, and a number with thousands of digits a ValueError.
UNDECODABLE = (msgspec.MsgspecError, ValueError, RecursionError)

BOM = b"\xef\xbb\xbf"

_any: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_raw = msgspec.json.Decoder(msgspec.Raw)

_rows = msgspec.json.Decoder(list[msgspec.Raw])

# An escaped pair, an escaped half of one, or any other escape: `\\ud800` is a backslash and text.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F]..)|.)",
    re.DOTALL,
)


class Decoder(Protocol[Value_co]):
    """A `msgspec.json.Decoder`."""

    def decode(self, text: bytes | memoryview, /) -> Value_co: ...


class Page(msgspec.Struct, gc=False):
    """A page of a beta list, its rows not looked into."""

    count: int
    results: list[msgspec.Raw]


_page = msgspec.json.Decoder(Page)


def decode_json(body: bytes) -> Any:
    """Any JSON value."""
    return decode(_any, body, "It is not JSON, or was cut off on the way.")


def decode_list(body: bytes) -> list[Any]:
    """The values of an array."""
    found = decode_json(body)
    if not isinstance(found, list):
        raise UnexpectedAnswer("It contains no list where one is expected.")
    return found


def decode_record(body: bytes) -> msgspec.Raw:
    """One whole value, not looked into."""
    return decode(_raw, body, "It is not JSON, or was cut off on the way.")


def decode_rows(body: bytes) -> list[msgspec.Raw]:
    """The elements of an array, not looked into."""
    return decode(_rows, body, "A list does not have the expected form, or was cut off.")


def decode_page(body: bytes) -> Page:
    """One page of a beta list."""
    return decode(_page, body, "A page does not have the expected form, or was cut off.")


def decode(decoder: Decoder[Value], body: bytes, complaint: str) -> Value:
    """The value of a whole answer. A byte order mark before it is skipped, and a single half of
    a surrogate pair in it mended.

    Raises UnexpectedAnswer with the complaint.
    """
    try:
        return decoder.decode(body)
    except UNDECODABLE:
        pass
    mended = _ESCAPE.sub(_replace_half, body.removeprefix(BOM))
    try:
        return decoder.decode(mended)
    except UNDECODABLE:
        raise UnexpectedAnswer(complaint) from None


def find_row(decoder: Decoder[Value], raw: msgspec.Raw | bytes) -> Value | None:
    """One row; None when it cannot be decoded. NaN, huge numbers and bad UTF-8 cost nothing."""
    try:
        return decoder.decode(bytes(raw))
    except UNDECODABLE:
        pass
    try:
        found = json.loads(bytes(raw).decode("utf-8", "replace"), parse_constant=str, strict=False)
        mended = json.dumps(_without_infinity(found), allow_nan=False)
        return decoder.decode(_ESCAPE.sub(_replace_half, mended.encode()))
    except UNDECODABLE:
        return None


def _replace_half(found: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if found[1] else found[0]


def _without_infinity(value: Any) -> Any:
    """Numbers that were too large for a float as nothing."""
    if isinstance(value, dict):
        return {key: _without_infinity(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_infinity(each) for each in value]
    return None if value in (float("inf"), float("-inf")) else value

"""JSON that is cut, odd or hostile."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tactical.errors import UnexpectedAnswer
from portal.tactical.reading.decoding import (
    decode_json,
    decode_list,
    decode_page,
    decode_rows,
    find_row,
)
from portal.tactical.reading.shapes import any_decoder

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [b"", b"[1,2", b"nonsense", b"<html></html>", b"\xff\xfe", DEEP, b"1" * 5000, b"[1e400]"],
)
def test_what_is_no_json_is_unexpected_and_worth_another_try(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        decode_json(body)

    assert caught.value.retryable


@pytest.mark.parametrize("body", [b"{}", b'"text"', b"null", b"17"])
def test_what_is_no_list_is_unexpected(body: bytes) -> None:
    for decode in (decode_list, decode_rows):
        with pytest.raises(UnexpectedAnswer):
            decode(body)


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'{"count":1}', b'{"count":"1","results":[]}', b'{"count":1,"results":{}}'],
)
def test_what_is_no_page_is_unexpected(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        decode_page(body)


def test_the_rows_of_a_page_are_not_looked_into() -> None:
    page = decode_page(b'{"count":9,"next":"x","results":[{"a":1e400},17,null,{"id":1}]}')

    assert page.count == 9
    assert [bytes(row) for row in page.results] == [b'{"a":1e400}', b"17", b"null", b'{"id":1}']


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'["\ud83d"]', ["\ufffd"]),
        (rb'["a\ude00b"]', ["a\ufffdb"]),
        (rb'["\ud83dx\ud83d\ude00"]', ["\ufffdx😀"]),
        (rb'["\ud83d", "\\ud83d", "\\\\ud83d"]', ["\ufffd", "\\ud83d", "\\\\ud83d"]),
        (rb'["\"\ud800\\"]', ['"\ufffd\\']),
    ],
)
def test_half_a_character_does_not_cost_the_page(body: bytes, expected: list[str]) -> None:
    assert decode_json(body) == expected
    assert [decode_json(bytes(row)) for row in decode_rows(body)] == expected


def test_a_byte_order_mark_is_skipped() -> None:
    assert decode_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'{"a":9223372036854776000}', {"a": 9223372036854776000}),
        (b'{"a":1e400,"b":-1e400}', {"a": None, "b": None}),
        (b'{"a":NaN,"b":[Infinity]}', {"a": "NaN", "b": ["Infinity"]}),
        (b'{"a":"\xff\xfe"}', {"a": "\ufffd\ufffd"}),
        (rb'{"a":"\ud800"}', {"a": "\ufffd"}),
        (b'{"a":"x\x01\ny"}', {"a": "x\x01\ny"}),
    ],
)
def test_what_is_odd_in_a_row_costs_the_row_nothing(row: bytes, expected: Any) -> None:
    assert find_row(any_decoder, row) == expected
    assert find_row(any_decoder, msgspec.Raw(row)) == expected


@pytest.mark.parametrize("row", [b"", b"{", DEEP, b'{"a":' + b"1" * 5000 + b"}"])
def test_a_row_that_is_no_json_is_none(row: bytes) -> None:
    assert find_row(any_decoder, row) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_unexpected(body: bytes) -> None:
    find_row(any_decoder, body)
    for decode in (decode_json, decode_list, decode_rows, decode_page):
        with suppress(UnexpectedAnswer):
            decode(body)


TEXTS = st.text(max_size=20) | st.sampled_from(["\\ud83d", "\\\\ud800x", "😀"])
VALUES = st.recursive(
    TEXTS | st.integers(-(2**70), 2**70),
    lambda each: st.lists(each) | st.dictionaries(TEXTS, each),
)


@given(VALUES, st.booleans())
def test_valid_json_is_decoded_as_it_is(value: Any, is_ascii: bool) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii).encode()

    assert decode_json(body) == find_row(any_decoder, body) == value

"""Rows split off a list while its text comes in, whatever pieces it comes in."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tactical.errors import UnexpectedAnswer
from portal.tactical.row_stream import RowStream
from portal.tactical.shapes import PkRow, pk_decoder

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
ROWS = st.lists(st.fixed_dictionaries({"id": st.integers(), "agent_id": st.text(), "x": VALUES}))
PADDING = "x" * 100


def cut(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


def read(text: bytes, size: int, *, is_page: bool) -> tuple[list[Any], int]:
    """The rows as plain values, and the count."""
    rows = RowStream(pk_decoder, is_page=is_page)
    found = [
        {"id": row.id, "agent_id": row.agent_id}
        if isinstance(row, PkRow)
        else msgspec.json.decode(bytes(row))
        for row in rows.split(cut(text, size))
    ]
    return [{k: row[k] for k in ("id", "agent_id")} for row in found], rows.count


def dump(value: Any, *, is_ascii: bool = True) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=is_ascii).encode()


@given(ROWS, st.integers(1, 400), st.booleans(), st.booleans())
def test_any_rows_in_any_pieces_are_given_whole(
    rows: list[dict[str, Any]], size: int, is_page: bool, is_formatted: bool
) -> None:
    rows = json.loads(json.dumps(rows).encode("utf-8", "replace"))
    value = {"count": 7, "next": "?page=2", "results": rows} if is_page else rows
    text = json.dumps(value, indent=2).encode() if is_formatted else dump(value)
    try:
        expected = msgspec.json.decode(text)
    except msgspec.DecodeError:  # half of a surrogate pair
        return
    expected = expected["results"] if is_page else expected

    found, count = read(text, size, is_page=is_page)

    assert found == [{k: row[k] for k in ("id", "agent_id")} for row in expected]
    assert count == (7 if is_page else 0)


@given(ROWS, st.integers(1, 400), st.data())
def test_a_text_cut_off_anywhere_is_an_error_after_the_rows_before(
    rows: list[dict[str, Any]], size: int, data: st.DataObject
) -> None:
    text = dump({"count": 1, "results": rows})
    text = text[: data.draw(st.integers(0, len(text) - 1))]
    stream = RowStream(pk_decoder, is_page=True)
    found: list[Any] = []
    with pytest.raises(UnexpectedAnswer):
        found.extend(stream.split(cut(text, size)))
    assert len(found) <= len(rows)


def test_a_row_that_holds_what_stands_between_rows_is_one_row() -> None:
    rows = [
        {"id": 1, "agent_id": "a", "services": [{"id": 5}, {"id": 6, "agent_id": "forged"}]},
        {"id": 2, "agent_id": "b", "text": '},{"id":3,"agent_id":"forged"'},
        {"id": 4, "agent_id": "c", "deep": [[{"x": {}}, {"id": 9}]], "padding": PADDING},
    ]
    for size in (1, 10, 1000):
        found, _ = read(dump(rows), size, is_page=False)
        assert [row["agent_id"] for row in found] == ["a", "b", "c"]


def test_many_such_places_cost_speed_and_nothing_else() -> None:
    rows = [{"id": n, "agent_id": str(n), "many": [{"id": 0}] * 50} for n in range(20)]
    found, _ = read(dump(rows), 100, is_page=False)
    assert [row["id"] for row in found] == list(range(20))


def test_a_spoilt_row_costs_no_other() -> None:
    rows = [dump({"id": n, "agent_id": PADDING}) for n in range(5)]
    rows[2] = b'"not an object"'
    rows[3] = rows[3].replace(b"x", b"\xff", 1)
    stream = RowStream(pk_decoder, is_page=False)
    found = list(stream.split(cut(b"[" + b",".join(rows) + b"]", 64)))
    assert len(found) == 5
    assert [row.id for row in found if isinstance(row, PkRow)] == [0]
    assert [bytes(row) for row in found if not isinstance(row, PkRow)] == rows[1:]


@pytest.mark.parametrize(
    "text",
    [b"", b"[", b"{}", b"null", b'"x"', b'{"detail":[{"id":1},{"id":2}]}', b'{"count":1}'],
)
@pytest.mark.parametrize("is_page", [True, False])
def test_what_is_no_list_is_an_error(text: bytes, is_page: bool) -> None:
    stream = RowStream(pk_decoder, is_page=is_page)
    with pytest.raises(UnexpectedAnswer):
        list(stream.split(cut(text, 5)))


def test_a_byte_order_mark_is_skipped() -> None:
    rows = [{"id": n, "agent_id": PADDING} for n in range(4)]
    assert len(read(b"\xef\xbb\xbf" + dump(rows), 50, is_page=False)[0]) == 4


def test_memory_does_not_grow_with_the_list() -> None:
    row = dump({"id": 1, "agent_id": "a", "bulk": ["x" * 1000] * 100})
    stream = RowStream(pk_decoder, is_page=False)

    def text() -> Iterator[bytes]:
        yield b"["
        for _ in range(300):
            yield row + b","
        yield row + b"]"

    tracemalloc.start()
    number = sum(1 for _ in stream.split(text()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert number == 301
    assert peak < 10 * len(row)

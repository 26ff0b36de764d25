"""Rows split off a list while its text comes in, whatever pieces it comes in."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tactical.errors import UnexpectedAnswer
from portal.tactical.reading import row_stream
from portal.tactical.reading.row_stream import RowStream
from portal.tactical.reading.shapes import PkRow, pk_decoder

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


SPELLINGS = [
    {"separators": (",", ":")},
    {"separators": (",", ":"), "ensure_ascii": False},
    {},
    {"indent": 2},
    {"indent": "\t", "separators": (" ,\r", "\n: ")},
]


@given(ROWS, st.integers(1, 400), st.booleans(), st.sampled_from(SPELLINGS), st.randoms())
def test_any_rows_in_any_pieces_are_given_whole_however_they_are_spelt(
    rows: list[dict[str, Any]], size: int, is_page: bool, spelling: dict[str, Any], chance: Random
) -> None:
    rows = [mix(row, chance) for row in json.loads(json.dumps(rows).encode("utf-8", "replace"))]
    page = {"count": 7, "next": "?page=2", "previous": None, "results": rows}
    value = mix(page, chance) if is_page else rows
    text = json.dumps(value, **spelling).encode("utf-8", "replace")
    try:
        expected = msgspec.json.decode(text)
    except msgspec.DecodeError:  # half of a surrogate pair
        return
    expected = expected["results"] if is_page else expected

    found, count = read(text, size, is_page=is_page)

    assert found == [{k: row[k] for k in ("id", "agent_id")} for row in expected]
    assert count == (7 if is_page else 0)


def mix(record: dict[str, Any], chance: Random) -> dict[str, Any]:
    """With its keys in another order."""
    return dict(chance.sample(list(record.items()), len(record)))


@given(ROWS, st.integers(1, 400), st.sampled_from(SPELLINGS), st.data())
def test_a_text_cut_off_anywhere_is_an_error_after_the_rows_before(
    rows: list[dict[str, Any]], size: int, spelling: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps({"count": 1, "results": rows}, **spelling).encode("utf-8", "replace")
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


def test_a_spoilt_row_costs_no_other() -> None:
    rows = [dump({"id": n, "agent_id": PADDING}) for n in range(5)]
    rows[2] = b'"not an object"'
    rows[3] = rows[3].replace(b"x", b"\xff", 1)
    stream = RowStream(pk_decoder, is_page=False)
    found = list(stream.split(cut(b"[" + b",".join(rows) + b"]", 64)))
    assert len(found) == 5
    assert [row.id for row in found if isinstance(row, PkRow)] == [0, 1, 4]
    assert [bytes(row) for row in found if not isinstance(row, PkRow)] == rows[2:4]


SPOILT = [
    b'{"id": 1, "agent_id": NaN, "x": [{}, "}"]}',
    b'{"id": 1, "agent_id": "\\ud83d", "x": "\\\\"}',
    b'{"id": 1, "agent_id": "\\ud83d"}',
    b'{"id": 1 "agent_id": "no comma"}',
    b'{"id": 1, "agent_id": "a\nline"}',
    b'{"id": 1, "agent_id": ' + b"[" * 3000 + b"]" * 3000 + b"}",
]


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
@pytest.mark.parametrize("bad", SPOILT)
@pytest.mark.parametrize("between", [b",", b" ,\n "])
def test_a_row_that_is_no_json_costs_no_other(bad: bytes, between: bytes, size: int) -> None:
    rows = [dump({"id": n, "agent_id": PADDING}) for n in (1, 2)]
    text = b"[" + between.join([rows[0], bad, rows[1]]) + b"]"
    assert list(RowStream(pk_decoder, is_page=False).split([b"[" + bad + b"]"])) == [bad]
    first, spoilt, last = RowStream(pk_decoder, is_page=False).split(cut(text, size))
    assert isinstance(first, PkRow)
    assert isinstance(last, PkRow)
    assert (first.id, spoilt, last.id) == (1, bad, 2)


@pytest.mark.parametrize("text", [b"[{}{}]", b"[{},]", b"[{}}", b"[nope,{}]", b"[{} x]", b"[,{}]"])
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_array_of_rows_is_an_error(text: bytes, size: int) -> None:
    with pytest.raises(UnexpectedAnswer):
        list(RowStream(pk_decoder, is_page=False).split(cut(text, size)))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_row_that_is_json_is_taken_apart_in_python(
    spelling: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would be, slowly, if another release of msgspec put its complaint otherwise."""
    monkeypatch.setattr(row_stream, "_find_end_by_brackets", None)
    rows = [{"id": n, "agent_id": PADDING, "x": [{"y": 1.5}, None, "🎉"]} for n in range(50)]
    text = json.dumps(rows, **spelling | {"ensure_ascii": False}).encode()
    for size in (1, 77, 100_000):
        assert len(read(text, size, is_page=False)[0]) == 50


def test_a_long_row_is_skipped_about_twice_and_not_with_each_of_its_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    class Skipping:
        def decode(self, text: memoryview) -> None:
            looked.append(len(text))
            msgspec.json.decode(text)

    monkeypatch.setattr(row_stream, "_skipping", Skipping())
    text = dump([{"id": 1, "agent_id": PADDING * 10_000}, {"id": 2, "agent_id": "b"}])
    assert len(read(text, 1000, is_page=False)[0]) == 2
    assert sum(looked) < 4 * len(text)


def test_a_row_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_stream, "LARGEST_ROW", 1000)
    endless = iter(lambda: b"x" * 100, None)
    stream = RowStream(pk_decoder, is_page=False)
    with pytest.raises(UnexpectedAnswer, match="too large"):
        list(stream.split(chain([b'[{"id":"'], endless)))


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


@pytest.mark.parametrize("is_page", [True, False])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_memory_does_not_grow_with_the_list(spelling: dict[str, Any], is_page: bool) -> None:
    row = json.dumps({"x": "y", "id": 1, "bulk": ["x" * 1000] * 100}, **spelling).encode()
    value = {"previous": None, "results": [], "count": 301} if is_page else []
    opening, _, closing = json.dumps(value, **spelling).encode().partition(b"[]")
    stream = RowStream(pk_decoder, is_page=is_page)

    def text() -> Iterator[bytes]:
        yield opening + b"["
        for _ in range(300):
            yield row + b" , "
        yield row + b"]" + closing

    tracemalloc.start()
    number = sum(1 for _ in stream.split(text()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert number == 301
    assert stream.count == (301 if is_page else 0)
    assert peak < 10 * len(row)

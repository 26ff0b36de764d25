"""Values of Tactical made fit to keep."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tactical.reading.text import (
    _LINE_ENDS,
    _UNKEPT,
    LONGEST_TEXT,
    NOTHING,
    clean_count,
    clean_fact,
    clean_facts,
    clean_flag,
    clean_prose,
    clean_text,
    join_facts,
    parse_epoch,
    parse_near_time,
    parse_time,
)

NO_TEXT: list[Any] = [None, 17, 1.5, True, ["x"], {"x": 1}, b"x"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  PC-1 ", "PC-1"),
        ("a\0b", "ab"),
        ("a\x1b[31mb", "a[31mb"),
        ("a\ud83db", "ab"),
        ("Söhne & Co <GmbH> 日本 🖥️ 👩‍💻", "Söhne & Co <GmbH> 日本 🖥️ 👩‍💻"),
        ("two\r\nlines\tand", "two lines and"),
        ("\u00a0x\u00a0", "x"),
        ("x" * 5000, "x" * LONGEST_TEXT),
    ],
)
def test_text_on_one_line(value: str, expected: str) -> None:
    assert clean_text(value) == expected


def test_prose_keeps_its_lines() -> None:
    assert clean_prose(" first\n\tsecond\0 \n") == "first\n\tsecond"
    assert clean_prose("a\r\nb\rc\u2028d\n\ne") == "a\nb\nc\nd\n\ne"


def test_text_that_is_taken_as_it_is_has_nothing_to_clean() -> None:
    letters = [letter for letter in map(chr, range(sys.maxunicode + 1)) if letter.isprintable()]
    assert not [letter for letter in letters if _UNKEPT.search(letter) or _LINE_ENDS.search(letter)]
    assert clean_prose("  " + "x" * (LONGEST_TEXT - 1) + " y") == "x" * (LONGEST_TEXT - 1)


@pytest.mark.parametrize("value", NO_TEXT)
def test_what_is_no_text_is_empty(value: Any) -> None:
    assert clean_text(value) == clean_prose(value) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [(17, "17"), (0, "0"), (-1.5, "-1.5"), (2**70, str(2**70)), (Decimal("1.50"), "1.50")],
)
def test_a_fact_that_is_a_number_is_that_number(value: Any, expected: str) -> None:
    assert clean_fact(value) == join_facts(value) == expected
    assert clean_facts([value, "-"]) == (expected,)


@pytest.mark.parametrize("value", [None, True, ["x"], {"x": 1}, b"x"])
def test_what_is_neither_text_nor_number_is_no_fact(value: Any) -> None:
    assert clean_fact(value) == ""


@pytest.mark.parametrize("word", sorted(NOTHING))
def test_words_for_unknown_are_empty(word: str) -> None:
    assert clean_fact(f" {word} ") == ""
    assert clean_facts([word, "real"]) == ("real",)


@pytest.mark.parametrize("word", ["none", "Nonesuch", "--", "unknown", "0"])
def test_words_that_only_look_so_are_kept(word: str) -> None:
    assert clean_fact(word) == word


@pytest.mark.parametrize("value", [None, 17, "text", {"a": 1}])
def test_what_is_no_list_has_no_facts(value: Any) -> None:
    assert clean_facts(value) == ()


def test_a_fact_may_be_a_text_or_a_list() -> None:
    assert join_facts("one, two") == join_facts(["one", None, "-", "two"]) == "one, two"
    assert join_facts(None) == join_facts([]) == join_facts(["-"]) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (16, 16),
        (16.0, 16),
        (16.5, None),
        (2**31 - 1, 2**31 - 1),
        (2**31, None),
        (9223372036854776000, None),
        (10**400, None),
        (-1, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        ("16", None),
        (None, None),
    ],
)
def test_counts(value: Any, expected: int | None) -> None:
    assert clean_count(value) == expected


def test_flags() -> None:
    assert [clean_flag(v) for v in (True, False, None, 1, "true")] == [True, False, *[None] * 3]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T03:15:22.351521Z",
        "2026-11-23 03:15:22.351521+00:00",
        "2026-11-23T05:15:22.351521+02:00",
        "2026-11-23T03:15:22.351521",
    ],
)
def test_times(text: str) -> None:
    assert parse_time(text) == datetime(2026, 11, 23, 3, 15, 22, 351521, UTC)


@pytest.mark.parametrize(
    "value",
    [
        *(*NO_TEXT, "", "yesterday", "None", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-23:00"),
        "0",
    ],
)
def test_what_is_no_time_is_none(value: Any) -> None:
    assert parse_time(value) is None


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_are_not_near(value: str) -> None:
    assert parse_time(value) is not None
    assert parse_near_time(value) is None


@pytest.mark.parametrize("value", [None, "1", True, 0, -5, 1e30, float("nan"), float("inf"), [1]])
def test_what_is_no_epoch_is_none(value: Any) -> None:
    assert parse_epoch(value) is None


def test_seconds_since_1970() -> None:
    assert parse_epoch(1794914122.5) == datetime(2026, 11, 17, 11, 15, 22, 500000, UTC)


@given(st.text() | st.integers() | st.floats() | st.none() | st.lists(st.text()))
def test_nothing_ever_raises(value: Any) -> None:
    for clean in (clean_text, clean_prose, clean_fact, clean_facts, join_facts):
        clean(value)
    for read in (clean_count, clean_flag, parse_time, parse_epoch):
        read(value)
    clean_text(value).encode()

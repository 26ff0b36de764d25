"""The stream of software: rows out of bytes, records out of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from portal.tactical.errors import UnexpectedAnswer
from portal.tactical.reading.software_entries import EntryText, find_entry_text, read_entries
from portal.tactical.records import BadRecord
from portal.tactical.software import AgentSoftware, read_rows
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import talking

SIZES = [1, 7, 64, 100_000]


def row(pk: Any, *names: str) -> dict[str, Any]:
    return {"id": pk, "software": [{"name": name, "version": "1"} for name in names], "agent": pk}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def read(body: bytes, size: int = 64) -> list[AgentSoftware | BadRecord]:
    return list(stream(body, size))


def stream(body: bytes, size: int) -> Iterator[AgentSoftware | BadRecord]:
    return read_rows(body[at : at + size] for at in range(0, len(body), size))


def names_of(found: list[AgentSoftware | BadRecord]) -> dict[int, list[str]]:
    return {
        each.pk: [entry.title.name for entry in each.entries]
        for each in found
        if isinstance(each, AgentSoftware)
    }


def test_all_that_the_server_lists(tactical: SimulatedTactical) -> None:
    with talking(tactical, tactical.api_key) as api:
        found = names_of(list(api.software.stream()))
    truth = tactical.control.truth.software()
    pks = {agent["pk"]: agent["agent_id"] for agent in tactical.control.truth.agents()}
    assert found.keys() == {pk for pk, agent_id in pks.items() if truth[agent_id] is not None}
    for pk, names in found.items():
        assert set(names) == {entry["name"] for entry in truth[pks[pk]] or []}


ROWS = [row(1, "A", "B"), row(2), row(3, '},{"id":3', "]", '"}]')]
WRITTEN = {
    "as Tactical": compact(ROWS),
    "with blanks": json.dumps(ROWS).encode(),
    "with blanks between rows": compact(ROWS).replace(b'},{"id"', b'}, {"id"'),
    "indented": json.dumps(ROWS, indent=2).encode(),
    "with a mark": b"\xef\xbb\xbf" + compact(ROWS),
    "with an end of line": compact(ROWS) + b"\n",
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("body", WRITTEN.values(), ids=WRITTEN.keys())
def test_however_it_is_written_and_cut_into_chunks(body: bytes, size: int) -> None:
    assert names_of(read(body, size)) == {1: ["A", "B"], 2: [], 3: ['},{"id":3', "]", '"}]']}


def test_entries_that_begin_as_rows_do() -> None:
    entries = [{"id": number, "name": f"N{number}"} for number in range(5)]
    body = compact([{"id": pk, "agent": pk, "software": entries} for pk in (1, 2, 3)])
    expected = [f"N{number}" for number in range(5)]
    assert names_of(read(body)) == {1: expected, 2: expected, 3: expected}


def test_an_empty_list() -> None:
    assert read(b"[]") == []
    assert read(b" [ ] ") == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("style", ["compact", "blanks"])
def test_cut_off_at_any_place(style: str, size: int) -> None:
    rows = [row(pk, "A", "B") for pk in (1, 2, 3)]
    body = compact(rows) if style == "compact" else json.dumps(rows).encode()
    for end in range(len(body)):
        found: list[AgentSoftware | BadRecord] = []
        with pytest.raises(UnexpectedAnswer):
            found.extend(stream(body[:end], size))
        assert names_of(found) == {pk: ["A", "B"] for pk in range(1, len(found) + 1)}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"detail":"no"}', b'"no"', b"null", b"<html>"])
def test_what_is_no_array(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(body)


@pytest.mark.parametrize(
    "body",
    [b"[1,", b"[nope]", b"[ [1, ]", b"[] trailing",
     b'[{"id":1,"software":[],"agent":1}', b'[{"id":1}],'],
)  # fmt: skip
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(body)


@pytest.mark.parametrize(
    "bad",
    [b'{"id":2,"software":[{"name":nope}],"agent":2}', b'{"a" 1}', b'{ "a": "\xff\xfe" }', b"{}"],
)
def test_a_row_that_cannot_be_read_costs_itself(bad: bytes) -> None:
    good = compact(row(1, "A"))
    found = read(b"[" + b",".join([good, bad, compact(row(3, "C"))]) + b"]")
    assert names_of(found) == {1: ["A"], 3: ["C"]}
    assert [type(each) for each in found] == [AgentSoftware, BadRecord, AgentSoftware]


ODD_TEXT = {
    b'"half \\ud83d"': "half \ufffd",
    b'"bad \xff"': "bad \ufffd",
    b'"nul\\u0000"': "nul",
    b'"tab\\tand\\nline"': "tab and line",
    '"日本 語"'.encode(): "日本 語",
}


@pytest.mark.parametrize(("text", "kept"), ODD_TEXT.items())
def test_text_that_no_database_keeps_is_mended(text: bytes, kept: str) -> None:
    body = b'[{"id":1,"software":[{"name":' + text + b',"version":"1"}],"agent":1}]'
    assert names_of(read(body)) == {1: [kept]}


def test_a_number_too_large_costs_nothing() -> None:
    body = b'[{"id":1,"agent":1,"speed":9223372036854776000,"software":[{"name":"A"}]}]'
    assert names_of(read(body)) == {1: ["A"]}
    spaced = body.replace(b'"id":1', b'"id" : 1')
    assert names_of(read(spaced)) == {1: ["A"]}


# --- Entries ----------------------------------------------------------------------------


def one(name: str = "A", version: str = "1", publisher: str = "", on: str = "") -> EntryText:
    return EntryText(name, version, publisher, on)


def test_both_shapes() -> None:
    full = {"name": "A", "version": "1", "publisher": "P", "size": "5.2 MB", "source": "x",
            "install_date": "2019-06-08 00:00:00 +0000 UTC"}  # fmt: skip
    texts = [find_entry_text(full), find_entry_text({"name": "B", "version": "2"})]
    [first, second], nameless = read_entries(text for text in texts if text)
    assert (first.title.publisher, first.installed_on) == ("P", date(2019, 6, 8))
    assert (second.title.publisher, second.installed_on, second.version) == ("", None, "2")
    assert nameless == 0


@pytest.mark.parametrize("nothing", ["", "  ", "Not Found", "not found", "0 B"])
def test_what_means_nothing_is_empty(nothing: str) -> None:
    [entry], _ = read_entries([one(version=nothing, publisher=nothing, on=nothing)])
    assert (entry.version, entry.title.publisher, entry.installed_on) == ("", "", None)
    assert read_entries([one(name=nothing)]) == ([], 1)


@pytest.mark.parametrize("on", ["0001-01-01 00:00:00 +0000 UTC", "yesterday", "2020-13-01", "2020"])
def test_a_date_that_is_none(on: str) -> None:
    [entry], _ = read_entries([one(on=on)])
    assert entry.installed_on is None


def test_equal_name_and_version_are_one_and_a_known_publisher_wins() -> None:
    twice = [one("A"), one("a ", publisher="P"), one("Ａ", publisher="", on="2020-01-02"), one("A")]
    for texts in (twice, twice[::-1]):
        [entry], _ = read_entries(texts)
        assert (entry.title.publisher, entry.installed_on) == ("P", date(2020, 1, 2))


def test_of_two_known_publishers_it_is_always_the_same() -> None:
    texts = [one(publisher="P"), one(publisher="Q")]
    assert read_entries(texts) == read_entries(texts[::-1])


def test_versions_stay_distinct() -> None:
    entries, _ = read_entries([one(version=version) for version in ("1", "2", "", "1")])
    assert [entry.version for entry in entries] == ["1", "2", ""]


def test_long_texts_fit_an_index() -> None:
    [entry], _ = read_entries([one("ﷺ" * 5000, "𝟙" * 5000, "🎉" * 5000)])
    name = entry.title.normalized_name.encode()
    assert len(name) + len(entry.title.publisher.encode()) < 2600
    assert len(entry.version.encode()) < 2600

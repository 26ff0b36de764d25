"""What is read from the bodies that Tactical's URL actions send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY, Hint, read_delivery

SENT: dict[str, str] = {
    "agent_id": "dktGXFyfzYyqhMMyJAkXsJVNpHeRAVslCAHFONkm",
    "alert_id": "503",
    "event": "trigger",
    "alert_type": "availability",
    "severity": "error",
    "alert_time": "2026-11-23 03:39:56.791162+00:00",
    "resolved": "None",
    "client_id": "1",
    "site_id": "2",
    "check_id": "None",
    "task_id": "None",
}
"""As it arrived from a live server."""


def hint(body: Any) -> Hint:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = read_delivery(text).hint
    assert found is not None
    return found


def test_a_failure_as_it_was_received() -> None:
    found = hint(SENT)

    assert (found.event, found.alert_id, found.severity) == ("trigger", "503", "error")
    assert found.agent_id == SENT["agent_id"]
    assert found.alert_time == datetime(2026, 11, 23, 3, 39, 56, 791162, UTC)
    assert (found.client_id, found.check_id, found.task_id) == ("1", None, None)


def test_a_resolve_is_of_the_same_condition() -> None:
    resolved_on = "2026-11-23 03:39:57.138399+00:00"
    found = hint({**SENT, "event": "resolve", "resolved": "True", "resolved_on": resolved_on})

    assert found.event == "resolve"
    assert found.condition == hint(SENT).condition
    assert found.resolved_on == datetime(2026, 11, 23, 3, 39, 57, 138399, UTC)


def test_a_body_that_broke_arrives_as_a_json_string() -> None:
    """A double quote in free text: Tactical sends the whole as one string."""
    broken = json.dumps(SENT).replace(
        '"agent_id"', '"message": "service "Spooler" off", "agent_id"'
    )
    found = hint(json.dumps(broken).encode())

    assert (found.agent_id, found.alert_id) == (SENT["agent_id"], "503")


def test_the_lines_of_a_message_are_kept_and_of_nothing_else() -> None:
    found = hint({"agent_id": "abc", "check_id": "a\nb", "message": "one\r\ntwo\0"})
    assert (found.check_id, found.message) == ("a b", "one\ntwo")


def test_ids_after_free_text_win_over_injected_ones() -> None:
    injected = '{"message": "x","event":"resolve","alert_id":"1","z":"",' + json.dumps(SENT)[1:]

    found = hint(injected.encode())

    assert (found.event, found.alert_id) == ("trigger", "503")


@pytest.mark.parametrize("body", [FAILURE_BODY, RESOLVED_BODY])
def test_unfilled_placeholders_are_a_test(body: str) -> None:
    assert read_delivery(body.encode()).is_test


def test_the_bodies_given_to_users_parse_whatever_ids_are_filled_in() -> None:
    for body in (FAILURE_BODY, RESOLVED_BODY):
        assert all("message" not in name for name in json.loads(body))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"agent_id": "None"}, "does not name an agent"),
        ({"agent_id": "x" * 201}, "not in the format that Tactical uses"),
        ({"agent_id": "../core"}, "not in the format that Tactical uses"),
        ({"alert_id": "abc"}, "not a number"),
    ],
)
def test_what_cannot_be_used_says_why(change: dict[str, str], words: str) -> None:
    reading = read_delivery(json.dumps({**SENT, **change}).encode())

    assert reading.hint is None
    assert reading.reason is not None
    assert words in reading.reason


@pytest.mark.parametrize("body", [b"", b"null", b"17", b"[]", b'"text"', b"<html>", b"\xff\xfe"])
def test_what_is_no_delivery_says_so(body: bytes) -> None:
    reading = read_delivery(body)

    assert reading.hint is None
    assert reading.reason


def test_a_byte_order_mark_is_skipped() -> None:
    assert hint(b"\xef\xbb\xbf" + json.dumps(SENT).encode()) == hint(SENT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8", "replace")))
def test_any_bytes_can_be_read(body: bytes) -> None:
    read_delivery(body)


@given(st.dictionaries(st.sampled_from([*SENT, "resolved_on", "message"]), JSON))
def test_any_values_can_be_read(values: dict[str, Any]) -> None:
    reading = read_delivery(json.dumps(values).encode())

    assert reading.hint is not None or reading.is_test or reading.reason

"""Whatever authenticated senders send is kept, and nothing that anybody sends is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.models.deliveries.delivery import DeliveryStatus
from portal.tactical.webhook import read_delivery
from tactical_simulator.alerting.render import sanitize
from tests.deliveries.conftest import HEADER, SENT, Intake

pytestmark = pytest.mark.mainly("postgresql")

FEW: Callable[[Any], Any] = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

FIELDS = st.sampled_from([*SENT, "resolved_on", "message", "unknown"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ODD_VALUES = VALUES | st.sampled_from(
    ["None", "", "\0", "{{alert.id}}", "\ud800", "9" * 5000, 10**400, 1e308, -0.0, "1e400", "nan"]
)
WORDS = st.text(
    st.characters(codec="latin-1", exclude_categories=["Cc"]),
    max_size=60,
)
_addresses = count(1)


def as_tactical_sends(text: str) -> bytes:
    """What does not parse stays text, and is then sent as a JSON string."""
    body: Any = sanitize(text)
    with suppress(ValueError):
        body = json.loads(body, strict=False)
    return json.dumps(body).encode()


def check_kept(intake: Intake, body: bytes) -> None:
    before = intake.count()
    kept = intake.get(intake.post(body))
    assert intake.count() == before + 1
    assert kept.body == body.decode("utf-8", errors="replace").replace("\0", "\ufffd")
    assert kept.body_bytes == len(body)
    assert (kept.hint is None) is (kept.status is not DeliveryStatus.PENDING)
    assert (kept.reason is None) is (kept.status is not DeliveryStatus.NEEDS_REVIEW)


@FEW
@given(st.binary(max_size=400))
@example(b"")
@example(b"\0")
@example(b"[" * 100_000)
@example(b'{"agent_id":' * 5_000)
@example(b'"' + b'\\"a\\":' * 5_000)
@example(b"9" * 10_000)
def test_any_bytes(intake: Intake, body: bytes) -> None:
    check_kept(intake, body[: 64 * 1024])


@FEW
@given(VALUES | st.dictionaries(FIELDS, ODD_VALUES))
def test_any_json(intake: Intake, value: Any) -> None:
    check_kept(intake, json.dumps(value).encode())


@FEW
@given(st.dictionaries(FIELDS, ODD_VALUES, min_size=1), st.data())
def test_any_broken_json_in_a_string(intake: Intake, fields: dict[str, Any], data: Any) -> None:
    text = json.dumps(SENT | fields)
    cut = data.draw(st.integers(0, len(text) - 1))
    check_kept(intake, json.dumps(text[:cut] + data.draw(st.text(max_size=5))).encode())


@FEW
@given(
    st.dictionaries(
        st.sampled_from(
            ["Content-Type", "Content-Encoding", "Accept", "Cookie", "Origin", "X-Forwarded-For",
             "Expect", "Range", "If-Match", "Authorization", "User-Agent", "HX-Request",
             "Transfer-Encoding"]
        ),
        WORDS,
    ),
    st.sampled_from([None, "", "0", "-1", "abc", "1e3", "٣"]),
)  # fmt: skip
def test_any_headers(intake: Intake, headers: dict[str, str], length: str | None) -> None:
    environ = {} if length is None else {"CONTENT_LENGTH": length}
    intake.get(intake.post(json.dumps(SENT).encode(), headers=headers, environ=environ))


@FEW
@given(st.text(max_size=60) | st.integers().map(str), WORDS)
@example("acme", "")
@example("\0", "x")
@example("9" * 30, "x")
def test_any_stranger_is_refused(intake: Intake, tenant: str, secret: str) -> None:
    address = f"stranger {next(_addresses)}"
    answer = intake.knock({HEADER: secret}, tenant.encode(errors="replace").decode(), address)
    assert answer.status_code == 401
    assert intake.count() == 0


@given(st.text(max_size=80))
@example('x","event":"resolve","alert_id":"1","z":"')
@example('" "alert_id":')
@example('"agent_id":"nobody","alert_id":"')
@example("three \\\\\\")
@example('{"agent_id":"x"}')
@example("{{alert.id}}")
def test_free_text_that_comes_first_changes_no_id(message: str) -> None:
    """As in an admin's own body with the message in front of the portal's fields."""
    text = '{"message":"' + message + '",' + json.dumps(SENT)[1:]
    hint = read_delivery(as_tactical_sends(text)).hint
    assert hint is not None
    assert (hint.agent_id, hint.alert_id) == (SENT["agent_id"], SENT["alert_id"])
    assert (hint.event, hint.severity) == ("trigger", "error")

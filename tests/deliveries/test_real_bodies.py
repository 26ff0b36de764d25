"""Bodies as Tactical's senders really make them, and what is understood of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.models.deliveries.delivery import DeliveryStatus
from portal.tactical.webhook import FAILURE_BODY
from tests.deliveries.conftest import SENT, Intake

pytestmark = pytest.mark.one_database

AGENT = SENT["agent_id"]
TOLD_AT = datetime(2026, 11, 23, 3, 39, 56, 791162, UTC)
MESSAGE = 'SRV-00011 has a ping check: Ping "GW" \\\\core\\new that failed.'
BROKEN = json.dumps(SENT | {"message": "?"}).replace('"?"', f'"{MESSAGE}"')


def sent(**fields: Any) -> bytes:
    return json.dumps(SENT | fields).encode()


GOOD: dict[str, tuple[bytes, dict[str, Any]]] = {
    "as it arrived": (sent(), {"alert_time": TOLD_AT, "check_id": None, "client_id": "1"}),
    "a resolve": (
        sent(event="resolve", resolved="True", resolved_on="2026-11-23 03:39:57.138399+00:00"),
        {"event": "resolve", "resolved_on": datetime(2026, 11, 23, 3, 39, 57, 138399, UTC)},
    ),
    "a string that holds broken JSON": (json.dumps(BROKEN).encode(), {}),
    "broken JSON by itself": (BROKEN.encode(), {}),
    "a string that holds good JSON": (json.dumps(json.dumps(SENT)).encode(), {}),
    "a line break in a text": (sent(message="?").replace(b"?", b"a\nb\tc"), {"message": "a\nb\tc"}),
    "a byte order mark": (b"\xef\xbb\xbf" + sent(), {}),
    "bad UTF-8": (sent(message="?").replace(b"?", b"\xff\xfe"), {"message": "\ufffd\ufffd"}),
    "a NUL in a text": (sent(message="a\0b"), {"message": "ab"}),
    "half a pair": (sent(message="\ud83d!"), {"message": "!"}),
    "None for nothing": (sent(alert_id="None", severity="None"), {"alert_id": None}),
    "null for nothing": (sent(alert_id=None, severity=None), {"alert_id": None}),
    "empty for nothing": (sent(alert_id="", severity=""), {"alert_id": None}),
    "numbers": (sent(alert_id=503, client_id=1, check_id=7), {"check_id": "7"}),
    "numbers with a point": (sent(alert_id=503.0, client_id=1.0), {}),
    "numbers with noughts": (sent(alert_id="00503"), {}),
    "equal keys": (sent().replace(b"{", b'{"alert_id": "1", "event": "resolve", '), {}),
    "unknown fields": (sent(rmm={"deep": [1, {"x": None}]}, version=2), {}),
    "only the agent": (json.dumps({"agent_id": AGENT}).encode(), {"alert_id": None}),
    "no event, resolved": (sent(event="None", resolved="True"), {"event": "resolve"}),
    "no event, not resolved": (sent(event=None), {"event": "trigger"}),
    "a true event": (sent(event=None, resolved=True), {"event": "resolve"}),
    "loud words": (sent(event="RESOLVED", severity="Error"), {"event": "resolve"}),
    "a time with T and Z": (
        sent(alert_time="2026-11-23T03:39:56.791162Z"),
        {"alert_time": TOLD_AT},
    ),
    "a time elsewhere": (
        sent(alert_time="2026-11-23 05:39:56.791162+02:00"),
        {"alert_time": TOLD_AT},
    ),
    "a time in seconds": (sent(alert_time=1795405196.791162), {"alert_time": TOLD_AT}),
    "a time in seconds as text": (
        sent(alert_time="1795405196"),
        {"alert_time": TOLD_AT.replace(microsecond=0)},
    ),
    "a time in milliseconds": (
        sent(alert_time=1795405196791),
        {"alert_time": TOLD_AT.replace(microsecond=791000)},
    ),
    "a time that is none": (sent(alert_time="yesterday"), {"alert_time": None}),
    "a time that cannot be": (sent(alert_time="1e300", resolved_on="nan"), {"alert_time": None}),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_body_that_names_its_agent_is_processed(intake: Intake, name: str) -> None:
    body, expected = GOOD[name]
    kept = intake.get(intake.post(body))
    expected = {"agent_id": AGENT, "alert_id": "503", "event": "trigger"} | expected
    assert kept.status is DeliveryStatus.PENDING
    assert kept.hint is not None
    found = {field: kept.hint[field] for field in expected}
    times = {
        field: _time(found[field]) for field in found if field in ("alert_time", "resolved_on")
    }
    assert found | times == expected
    assert (kept.agent_id, kept.external_alert_id) == (AGENT, expected["alert_id"])
    assert kept.event == expected["event"]


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


TESTS = {
    "literal placeholders": FAILURE_BODY.encode(),
    # Against an agent `{{alert.…}}` gives the agent's pk or its name.
    "the test button": sent(alert_id="12", severity="SRV-00011", alert_type="SRV-00011"),
    "a severity of elsewhere": sent(severity="critical"),
    "literal placeholders without quotes": json.dumps(
        '{"agent_id": "{{agent.agent_id}}", "alert_id": {{alert.id}}, "event": "trigger"}'
    ).encode(),
    "without an agent": sent(agent_id="None", severity="Client 001"),
}


@pytest.mark.parametrize("name", TESTS)
def test_a_test_is_recognised(intake: Intake, name: str) -> None:
    answer = intake.post(TESTS[name])
    kept = intake.get(answer)
    assert kept.status is DeliveryStatus.TEST
    assert kept.hint is None
    assert kept.due_at is None, "there is nothing to process"
    assert "create no alert" in answer.get_json()["message"]


USELESS = {
    "nothing": (b"", "is not JSON, and no ids"),
    "blanks": (b" " * 5000, "is not JSON, and no ids"),
    "a page": (b"<html>x</html>", "is not JSON, and no ids"),
    "a list": (b"[]", "is not JSON, and no ids"),
    "no agent": (sent(agent_id="None"), "does not name an agent"),
    "an agent that is a path": (
        sent(agent_id="../../core"),
        "not in the format that Tactical uses",
    ),
    "an agent that is a list": (sent(agent_id=["x"]), "does not name an agent"),
    "an alert that is a word": (sent(alert_id="abc"), "not a number"),
    "an alert below nothing": (sent(alert_id=-1), "not a number"),
    "an alert too great": (sent(alert_id=10**30), "not a number"),
}


@pytest.mark.parametrize("name", USELESS)
def test_what_cannot_be_used_is_kept_for_review(intake: Intake, name: str) -> None:
    body, reason = USELESS[name]
    answer = intake.post(body)
    kept = intake.get(answer)
    assert kept.status is DeliveryStatus.NEEDS_REVIEW
    assert reason in (kept.reason or "")
    assert reason in answer.get_json()["message"], "Tactical shows it to its admins"
    assert kept.body == body.decode()
    assert kept.due_at is None

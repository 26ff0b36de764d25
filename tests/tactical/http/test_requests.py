"""Requests to a server: what is sent, what is sent again, and what nobody ever sees."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from portal.egress import ConnectionLost, EgressError
from portal.tactical.api import Tactical
from portal.tactical.errors import Abandoned, MissingPermission, ServerError, TacticalError
from portal.tactical.http.session import ApiKey, Password
from portal.tactical.reading.decoding import decode_list
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import api_user, talking

CANARIES = ("canary-key", "canary-password", "canary-secret", "canary-code", "canary-token")


def statuses(server: SimulatedTactical, path: str = "") -> list[int]:
    return [entry.status for entry in server.control.log.entries(path)]


# --- What is sent ---------------------------------------------------------------------------


def test_a_key_goes_alone_and_a_token_goes_alone(tactical: SimulatedTactical) -> None:
    """Tactical tries a token first, and a dead one beats a good key."""
    for credentials in (ApiKey(tactical.api_key), api_user(tactical)):
        with talking(tactical, credentials) as api:
            api.keep_alive()

    key, sign_in, token = [entry.headers for entry in tactical.control.log.entries()]
    assert "X-Api-Key" in key
    assert "Authorization" not in key
    assert not {"X-Api-Key", "Authorization"} & sign_in.keys()
    assert "Authorization" in token
    assert "X-Api-Key" not in token
    for headers in (key, sign_in, token):
        assert headers["Accept"] == "application/json"
        assert headers["Accept-Encoding"] == "identity"
        assert "Cookie" not in headers


def test_the_root_page_gets_no_credentials(tactical: SimulatedTactical) -> None:
    with talking(tactical, tactical.api_key) as api:
        assert api.session.get_root().body == b'{"status":"ok"}'

    (entry,) = tactical.control.log.entries()
    assert not {"X-Api-Key", "Authorization"} & entry.headers.keys()


def test_a_query_is_encoded(tactical: SimulatedTactical) -> None:
    with talking(tactical, tactical.api_key) as api:
        api.session.fetch(decode_list, "/agents/", {"detail": "a b&c=ä"})

    assert tactical.control.log.entries()[0].query == "detail=a+b%26c%3D%C3%A4"


@pytest.mark.parametrize("agent_id", ["../core/settings", "..", "", "a" * 20, "?x=" + "a" * 40])
def test_an_agent_id_leads_to_no_other_path(tactical: SimulatedTactical, agent_id: str) -> None:
    with talking(tactical, tactical.api_key) as api, pytest.raises(TacticalError):
        api.get_agent(agent_id)

    assert [e for e in tactical.control.log.entries() if not e.path.startswith("/agents/")] == []
    assert not any(entry.query for entry in tactical.control.log.entries())


# --- What is sent again ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop", "reset", "truncated", "cut_json", "html", "empty"])
def test_a_read_is_sent_again(tactical: SimulatedTactical, kind: str) -> None:
    tactical.control.faults.add(kind, "/clients/", times=2)
    slept: list[float] = []
    with talking(tactical, tactical.api_key, sleep=slept.append) as api:
        assert len(api.get_dashboard_inventory().organizations) == 3

    assert len(statuses(tactical, "/clients/")) == 3
    assert len(slept) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_met_three_times(tactical: SimulatedTactical, status: int) -> None:
    tactical.control.faults.add("status", "/clients/", status=status, times=None)
    with talking(tactical, tactical.api_key) as api, pytest.raises(ServerError):
        api.get_dashboard_inventory()

    assert statuses(tactical) == [status] * 3


def test_a_refusal_is_met_once(tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(permissions=[])
    with talking(tactical, key) as api, pytest.raises(MissingPermission):
        api.get_dashboard_inventory()

    assert statuses(tactical) == [403]


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "status", "status": 502}])
def test_a_write_is_sent_once(tactical: SimulatedTactical, fault: dict[str, Any]) -> None:
    tactical.control.faults.add(**fault, path="/agents/*", method="PUT", times=None)
    (agent_id, *_) = tactical.control.agents.ids()
    with talking(tactical, tactical.api_key) as api, pytest.raises((EgressError, TacticalError)):
        api.session.write("PUT", f"/agents/{agent_id}/", {"description": "x"})

    assert len(statuses(tactical)) == 1


# --- Streams --------------------------------------------------------------------------------


def test_a_stream_begins_again_but_does_not_repeat_itself(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("status", "/software/", status=502, times=1)
    with talking(tactical, tactical.api_key) as api, api.session.stream("/software/") as chunks:
        rows = decode_list(b"".join(chunks))

    assert len(rows) > 10
    assert statuses(tactical) == [502, 200]


def test_a_stream_that_breaks_off_is_not_taken_for_whole(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("truncated", "/software/", times=None)
    with (
        talking(tactical, tactical.api_key) as api,
        api.session.stream("/software/") as chunks,
        pytest.raises(ConnectionLost),
    ):
        list(chunks)

    assert len(statuses(tactical)) == 1


def test_a_stream_signs_in_again(tactical: SimulatedTactical) -> None:
    user = api_user(tactical, token="0" * 64)
    with talking(tactical, user) as api, api.session.stream("/software/") as chunks:
        assert decode_list(b"".join(chunks))

    assert statuses(tactical, "/software/") == [401, 200]


def test_a_stream_of_something_else_is_an_error(tactical: SimulatedTactical) -> None:
    for fault in ({"kind": "redirect"}, {"kind": "html"}, {"kind": "status", "status": 404}):
        tactical.control.faults.clear()
        tactical.control.faults.add(**fault, path="/software/", times=None)
        with (
            talking(tactical, tactical.api_key) as api,
            pytest.raises(TacticalError),
            api.session.stream("/software/"),
        ):
            pass


# --- Giving up, clocks, secrets -------------------------------------------------------------


def test_an_abandoned_answer_is_not_read_on(tactical: SimulatedTactical) -> None:
    with talking(tactical, tactical.api_key) as api:
        with api.session.abandoning(), pytest.raises(Abandoned):
            api.get_dashboard_inventory()
        assert api.get_dashboard_inventory().organizations

    assert statuses(tactical) == [200]


@pytest.mark.parametrize(
    ("minutes", "is_used"),
    [(0, False), (0.02, False), (0.1, True), (10, True), (-600, True), (600_000, False)],
)
def test_tactical_s_clock_counts_when_it_differs(
    tactical: SimulatedTactical, minutes: float, is_used: bool
) -> None:
    with talking(tactical, tactical.api_key) as api:
        theirs = datetime.now(UTC) + timedelta(minutes=minutes)
        api.session._note_clock(format_datetime(theirs, usegmt=True))
        skew = api.session.answered_at - datetime.now(UTC)

    assert abs(skew - timedelta(minutes=minutes if is_used else 0)) < timedelta(seconds=2)


def test_no_secret_is_printed_logged_or_raised(
    tactical: SimulatedTactical, caplog: pytest.LogCaptureFixture
) -> None:
    key, password, secret, code, token = CANARIES
    tactical.control.faults.add("drop", "/core/*", times=None)
    shown: list[str] = []
    user = Password("apiuser", password, totp_secret=secret, totp_code=code, token=token)
    with caplog.at_level(logging.DEBUG):
        for credentials in (ApiKey(key), ApiKey(f"{key}\n€"), user):
            shown += [repr(credentials), str(credentials)]
            with talking(tactical, credentials) as api:
                shown.append(keep_alive_failure(api))
                shown += [repr(api), repr(vars(api)), repr(api.session)]

    everything = "".join(shown) + caplog.text
    assert not [canary for canary in CANARIES if canary in everything]
    assert "apiuser" in everything


def keep_alive_failure(api: Tactical) -> str:
    """The whole traceback, as a log would hold it."""
    try:
        api.keep_alive()
    except (TacticalError, EgressError):
        logging.getLogger("portal").exception("It failed.")
        return "failed"
    raise AssertionError("it should have failed")

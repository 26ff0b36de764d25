"""No secret is told: not by an object that is printed, an error, a log line or a traceback."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest

from portal.egress import Gateway
from portal.errors import PortalError
from portal.tactical.api import Tactical
from portal.tactical.http.session import ApiKey, Credentials, Password, TacticalSession
from portal.tactical.probe.probe import probe
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import LOOPBACK, talking

CANARY = "C4N4RY"
KEY = ApiKey(f"{CANARY}-key")
USER = Password(
    "apiuser",
    f"{CANARY}-password",
    totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    totp_code=f"{CANARY}-code",
    token=f"{CANARY}-token",
)
FAULTS: list[dict[str, Any]] = [
    {"kind": "drop"},
    {"kind": "reset"},
    {"kind": "truncated"},
    {"kind": "cut_json"},
    {"kind": "html"},
    {"kind": "empty"},
    {"kind": "redirect", "location": f"https://x.example/{CANARY}?key={CANARY}"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "json", "status": 401, "body": {"detail": "Invalid token."}},
    {"kind": "json", "status": 400, "body": "Bad credentials"},
    {"kind": "json", "status": 400, "body": {"password": ["wrong"]}},
]


@pytest.mark.parametrize("credentials", [KEY, USER], ids=["key", "password"])
def test_what_is_printed_tells_no_secret(credentials: Credentials) -> None:
    gateway = Gateway(LOOPBACK)
    session = TacticalSession("http://127.0.0.1:1", credentials, gateway)
    shown = [repr(each) + str(each) for each in (credentials, session, Tactical(session), gateway)]
    gateway.close()

    assert CANARY not in "".join(shown)
    assert "JBSWY3DP" not in "".join(shown)


@pytest.mark.parametrize("credentials", [KEY, USER], ids=["key", "password"])
@pytest.mark.parametrize("fault", FAULTS, ids=[str(list(f.values())[:2]) for f in FAULTS])
@pytest.mark.parametrize("path", ["*", "/agents/*", "/v2/*"])
def test_whatever_fails_no_secret_is_told(
    tactical: SimulatedTactical,
    caplog: pytest.LogCaptureFixture,
    credentials: Credentials,
    fault: dict[str, Any],
    path: str,
) -> None:
    tactical.control.access.add_key(KEY.key)
    tactical.control.access.edit_user("apiuser", password=USER.password, totp_secret="A" * 32)
    tactical.control.faults.add(**fault, path=path, times=None)
    told: list[str] = []

    with caplog.at_level(logging.DEBUG), talking(tactical, credentials) as api:
        for attempt in (api.keep_alive, api.list_agent_pks, api.get_beta_inventory, api.log_out):
            try:
                attempt()
            except PortalError as error:
                told += [str(error), error.message, *traceback.format_exception(error)]
        told.append(repr(probe(api, lambda step: told.append(repr(step)))))

    shown = "\n".join(told) + caplog.text
    assert CANARY not in shown
    assert "JBSWY3DP" not in shown
    assert shown

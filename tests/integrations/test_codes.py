"""The one-time code that a TOTP account without a stored secret wants now and then."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.db import db
from portal.errors import InvalidInput, Refused
from portal.models import Errand, Integration
from portal.models.integrations.integration import AuthMode, Stop
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import get_tenant_id
from portal.services.errands import execution
from portal.services.errands.requests import get_errand
from portal.services.integrations import codes, connect
from portal.services.integrations.connect import ConnectionSettings
from portal.services.integrations.current import get_integration
from portal.vault import find_secret
from tests.support.msp import Msp
from tests.tactical.accounts import CHECK, LOGIN, code
from tests.tactical.talking import admin


@pytest.fixture
def signed_out(msp: Msp) -> Msp:
    """Connected with a code, whose token then died."""
    user = admin(msp.tactical)
    test = msp.connect(
        api_key=None,
        auth_mode=AuthMode.PASSWORD,
        username=user.username,
        password=user.password,
        totp_code=code(msp.tactical),
    )
    assert test.ok
    assert not is_code_wanted()
    msp.tactical.control.access.revoke_tokens()
    assert msp.sync(SyncKind.STATUS).status is RunStatus.FAILED
    msp.tactical.control.log.clear()
    return msp


def is_code_wanted() -> bool:
    db.session.rollback()
    wanted = select(Integration.id).where(codes.is_code_wanted(get_tenant_id()))
    return db.session.scalar(wanted) is not None


def stop() -> Stop | None:
    db.session.rollback()
    found = get_integration()
    db.session.refresh(found)
    return found.stopped_for


def do(errand: Errand) -> Errand:
    execution.run_queued(errand.id)
    return get_errand(errand.id)


def test_a_worker_signs_in_with_the_code(signed_out: Msp) -> None:
    assert is_code_wanted()
    now = code(signed_out.tactical)
    errand = codes.enter_code(f" {now[:3]} {now[3:]} ")
    assert signed_out.tactical.control.log.entries() == []  # nobody waited for Tactical
    assert not is_code_wanted()  # it is being tried
    assert now not in str(errand.wanted)
    done = do(errand)
    assert (done.ok, done.message) == (True, "The portal is signed in to Tactical. Syncs continue.")
    assert stop() is None
    assert find_secret(get_integration(), "totp_code") is None
    assert signed_out.sync(SyncKind.STATUS).status is RunStatus.SUCCESS
    entries = signed_out.tactical.control.log.entries
    assert (len(entries(CHECK)), len(entries(LOGIN))) == (1, 1)


def test_a_wrong_code_is_gone_and_another_is_asked_for(signed_out: Msp) -> None:
    done = do(codes.enter_code("000000"))
    assert not done.ok
    assert "rejected the one-time code" in str(done.message)
    assert is_code_wanted()
    assert find_secret(get_integration(), "totp_code") is None


@pytest.mark.one_database
def test_a_code_that_did_not_arrive_is_gone_too(signed_out: Msp) -> None:
    signed_out.tactical.control.faults.add("status", CHECK, status=502, times=None)
    done = do(codes.enter_code(code(signed_out.tactical)))
    assert not done.ok
    assert is_code_wanted()
    assert find_secret(get_integration(), "totp_code") is None


@pytest.mark.one_database
@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345x", "１２３４５６"])
def test_what_is_no_code_is_not_sent(signed_out: Msp, typed: str) -> None:
    with pytest.raises(InvalidInput, match="6 digits"):
        codes.enter_code(typed)
    assert find_secret(get_integration(), "totp_code") is None


@pytest.mark.one_database
def test_a_code_too_many_is_not_kept(signed_out: Msp) -> None:
    do(codes.enter_code(code(signed_out.tactical)))
    with pytest.raises(Refused, match="signed in"):
        codes.enter_code(code(signed_out.tactical))
    assert find_secret(get_integration(), "totp_code") is None


def test_a_stored_secret_mends_it_as_well(signed_out: Msp) -> None:
    secret = signed_out.tactical.credentials.totp_secret
    connect.save_connection(ConnectionSettings(totp_secret=secret))
    assert not is_code_wanted()
    assert stop() is None

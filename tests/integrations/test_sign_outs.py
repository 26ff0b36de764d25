"""What becomes of a sign-in at Tactical that the portal no longer uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.db import db
from portal.errors import InvalidInput
from portal.models import EndedSignIn, Secret
from portal.models.integrations.integration import AuthMode
from portal.scope import all_tenants
from portal.services import tick
from portal.services.integrations import connect, sign_outs
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration, open_tactical
from portal.tactical.errors import WrongPassword
from portal.vault import find_secret
from tactical_simulator import FleetSpec, SimulatedTactical
from tests.support.msp import Msp
from tests.tactical.talking import admin, api_user

pytestmark = pytest.mark.one_database


@pytest.fixture
def other() -> Iterator[SimulatedTactical]:
    with SimulatedTactical(FleetSpec(clients=1, sites=1, agents=2, frozen=True)) as server:
        yield server


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []

    def enqueue(*call: Any) -> bool:
        calls.append(call)
        return True

    monkeypatch.setattr(queue, "enqueue", enqueue)
    return calls


def sign_in(msp: Msp) -> str:
    """The token of a connection that was made by name and password."""
    user = api_user(msp.tactical)
    test = msp.connect(
        api_key=None, auth_mode=AuthMode.PASSWORD, username=user.username, password=user.password
    )
    assert test.ok
    return str(stored_token())


def stored_token() -> str | None:
    token = find_secret(get_integration(), "knox_token")
    db.session.rollback()
    return token


def waiting() -> list[str]:
    found = list(db.session.scalars(select(EndedSignIn.base_url)))
    db.session.rollback()
    return found


def by_key(msp: Msp, other: SimulatedTactical) -> None:
    key = ConnectionSettings(auth_mode=AuthMode.API_KEY, api_key=msp.tactical.api_key)
    save_connection(key)


def as_another(msp: Msp, other: SimulatedTactical) -> None:
    user = admin(msp.tactical)
    save_connection(ConnectionSettings(username=user.username, password=user.password))


def with_another_password(msp: Msp, other: SimulatedTactical) -> None:
    save_connection(ConnectionSettings(password="another one"))


def at_another_host(msp: Msp, other: SimulatedTactical) -> None:
    settings = ConnectionSettings(
        base_url=other.url,
        auth_mode=AuthMode.API_KEY,
        api_key=other.api_key,
    )
    save_connection(settings)


def not_at_all(msp: Msp, other: SimulatedTactical) -> None:
    connect.disconnect()


CHANGES = [by_key, as_another, with_another_password, at_another_host, not_at_all]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_sign_in_that_is_left_is_ended_by_a_job(
    msp: Msp, other: SimulatedTactical, enqueued: list[tuple[Any, ...]], change: Any
) -> None:
    token = sign_in(msp)
    access = msp.tactical.control.access
    msp.tactical.control.log.clear()
    change(msp, other)
    assert msp.tactical.control.log.entries() == []  # nobody waited for Tactical
    assert enqueued == [("sign_out", msp.id)]
    assert stored_token() is None
    assert waiting() == [msp.tactical.url]
    assert len(access.tokens()) == 1
    sign_outs.sign_out_due()
    assert access.tokens() == []
    assert waiting() == []
    assert find_owned() == set()
    assert token


def find_owned() -> set[str]:
    """Secrets that ended sign-ins still have."""
    found = set(db.session.scalars(select(Secret.field).filter_by(owner="rmm_ended_sign_ins")))
    db.session.rollback()
    return found


def test_what_changes_no_credential_ends_no_sign_in(msp: Msp) -> None:
    token = sign_in(msp)
    save_connection(ConnectionSettings(options={"page_size": 100}, base_url=msp.tactical.url + "/"))
    assert (stored_token(), waiting()) == (token, [])


def test_a_save_that_is_refused_ends_no_sign_in(msp: Msp) -> None:
    token = sign_in(msp)
    with pytest.raises(InvalidInput):
        save_connection(ConnectionSettings(auth_mode=AuthMode.API_KEY))
    assert (stored_token(), waiting()) == (token, [])


def test_a_server_that_is_away_is_told_when_it_is_back(
    msp: Msp, other: SimulatedTactical, enqueued: list[tuple[Any, ...]]
) -> None:
    sign_in(msp)
    msp.tactical.control.faults.add("status", "/logout/", status=502, times=None)
    not_at_all(msp, other)
    sign_outs.sign_out_due()
    sign_outs.sign_out_due()
    assert len(msp.tactical.control.log.entries("/logout/")) == 1
    assert waiting() == [msp.tactical.url]
    msp.tactical.control.faults.clear()
    with time_machine.travel(utc_now() + sign_outs.TRY_AGAIN_AFTER):
        with all_tenants():
            assert sign_outs.list_tenants_with_due_sign_outs() == [msp.id]
        enqueued.clear()
        tick.tick()
        assert ("sign_out", msp.id) in enqueued
        sign_outs.sign_out_due()
    assert msp.tactical.control.access.tokens() == []
    assert waiting() == []


def test_a_token_that_is_dead_by_itself_is_not_asked_about(
    msp: Msp, other: SimulatedTactical
) -> None:
    sign_in(msp)
    not_at_all(msp, other)
    msp.tactical.control.log.clear()
    with time_machine.travel(utc_now() + sign_outs.TOKEN_LASTS * 1.01):
        sign_outs.sign_out_due()
    assert msp.tactical.control.log.entries() == []
    assert (waiting(), find_owned()) == ([], set())


def test_a_sync_under_way_brings_the_old_sign_in_not_back(
    msp: Msp, other: SimulatedTactical
) -> None:
    """Its token dies, and it signs in anew as who it was."""
    sign_in(msp)
    with open_tactical(get_integration()) as tactical:
        db.session.rollback()
        as_another(msp, other)
        sign_outs.sign_out_due()
        tactical.keep_alive()
    assert stored_token() is None
    assert waiting() == [msp.tactical.url]
    sign_outs.sign_out_due()
    assert msp.tactical.control.access.tokens() == []


def test_the_token_of_another_host_is_not_sent_to_the_old_one(
    msp: Msp, other: SimulatedTactical
) -> None:
    sign_in(msp)
    with open_tactical(get_integration()) as tactical:
        db.session.rollback()
        user = api_user(other)
        save_connection(
            ConnectionSettings(
                base_url=other.url,
                username=user.username,
                password=user.password,
            )
        )
        with open_tactical(get_integration()) as new:
            db.session.rollback()
            new.keep_alive()
        assert stored_token()
        msp.tactical.control.access.revoke_tokens()
        msp.tactical.control.access.edit_user(api_user(msp.tactical).username, password="x")
        with pytest.raises(WrongPassword):
            tactical.keep_alive()
    assert stored_token()

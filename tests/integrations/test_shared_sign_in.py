"""However many find a dead token at once, one of them signs in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from portal.clock import utc_now
from portal.config import Settings
from portal.db import db, transaction
from portal.errors import PortalError
from portal.models.integrations.integration import AuthMode, Stop
from portal.services.integrations.current import get_active_integration, open_tactical
from portal.services.integrations.shared_sign_in import SharedSignIn
from portal.tactical.errors import Abandoned, TotpNeeded, WrongPassword
from portal.vault import find_secret, forget_secrets
from tests.support.keys import KEYS
from tests.support.msp import Msp
from tests.tactical.accounts import CHECK, LOGIN, code
from tests.tactical.talking import admin, api_user

MANY = 6


@pytest.fixture
def with_secret(msp: Msp) -> Msp:
    msp.connect_by_totp()
    lose_token(msp)
    return msp


def lose_token(msp: Msp) -> None:
    """And let sign-ins take their time, so that all the others come meanwhile."""
    msp.tactical.control.access.revoke_tokens()
    msp.tactical.control.log.clear()
    msp.tactical.control.faults.add("slow", CHECK, seconds=0.4)


def count(msp: Msp, path: str) -> int:
    return len(msp.tactical.control.log.entries(path))


def use_at_once(msp: Msp) -> list[str]:
    """What became of each of many who use the connection at the same moment."""
    db.session.rollback()
    together = Barrier(MANY)

    def use(_number: int) -> str:
        with msp.scope(), open_tactical(get_active_integration(), interactive=True) as tactical:
            db.session.rollback()
            together.wait(10)
            try:
                tactical.keep_alive()
            except PortalError as error:
                return type(error).__name__
            return "ok"

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(use, range(MANY)))


@pytest.mark.one_database
def test_a_dead_token_costs_one_sign_in(with_secret: Msp) -> None:
    assert use_at_once(with_secret) == ["ok"] * MANY
    assert (count(with_secret, CHECK), count(with_secret, LOGIN)) == (1, 1)


def refuse_password(msp: Msp) -> None:
    msp.tactical.control.access.edit_user("admin", password="changed")


def forget_totp_secret(msp: Msp) -> None:
    with transaction() as session:
        forget_secrets(session, get_active_integration(), "totp_secret")


@pytest.mark.parametrize(
    ("break_it", "error", "stop"),
    [
        (refuse_password, WrongPassword, Stop.WRONG_PASSWORD),
        (forget_totp_secret, TotpNeeded, Stop.CODE_NEEDED),
    ],
)
@pytest.mark.one_database
def test_so_does_one_that_fails(
    with_secret: Msp, break_it: Callable[[Msp], None], error: type[PortalError], stop: Stop
) -> None:
    break_it(with_secret)
    assert use_at_once(with_secret) == [error.__name__] * MANY
    assert (count(with_secret, CHECK), count(with_secret, LOGIN)) == (1, 0)
    assert get_active_integration().stopped_for is stop


@pytest.mark.one_database
def test_commands_in_processes_of_their_own_sign_in_once(
    with_secret: Msp, settings: Settings
) -> None:
    """Without a Redis, too: commands have none."""
    db.session.rollback()
    environ = {
        **KEYS,
        "PATH": os.environ["PATH"],
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_EGRESS_ALLOW": "127.0.0.0/8",
        "DATABASE_URL": settings.database_url,
    }
    portal = str(Path(sys.executable).parent / "portal")
    commands = [
        subprocess.Popen([portal, "sync", kind, "--tenant", "acme"], env=environ)
        for kind in ("status", "organizations", "alerts")
    ]
    assert [command.wait(60) for command in commands] == [0, 0, 0]
    assert (count(with_secret, CHECK), count(with_secret, LOGIN)) == (1, 1)


def hold_lock(until: timedelta) -> None:
    """As a process that signs in, and no longer renews its lease."""
    with transaction():
        integration = get_active_integration()
        integration.sign_in_lease, integration.sign_in_until = "another", utc_now() + until


def test_a_lock_whose_holder_died_ends_by_itself(with_secret: Msp) -> None:
    hold_lock(timedelta(seconds=0.5))
    with open_tactical(get_active_integration()) as tactical:
        db.session.rollback()
        tactical.keep_alive()
    found = get_active_integration()
    assert (found.sign_in_lease, found.sign_in_until) == (None, None)
    assert count(with_secret, CHECK) == 1


def test_who_waits_for_it_can_be_stopped(with_secret: Msp) -> None:
    hold_lock(timedelta(hours=1))
    with open_tactical(get_active_integration()) as tactical:
        db.session.rollback()
        tactical.session.abandon()
        with pytest.raises(Abandoned):
            tactical.keep_alive()
    assert count(with_secret, CHECK) == 0


@pytest.mark.one_database
def test_a_code_that_somebody_entered_meanwhile_is_not_asked_for_again(msp: Msp) -> None:
    user = admin(msp.tactical)
    test = msp.connect(
        api_key=None,
        auth_mode=AuthMode.PASSWORD,
        username=user.username,
        password=user.password,
        totp_code=code(msp.tactical),
    )
    assert test.ok
    SharedSignIn(get_active_integration()).note_refusal(TotpNeeded())
    assert find_secret(get_active_integration(), "knox_token") is not None
    assert get_active_integration().stopped_for is None


@pytest.mark.one_database
def test_another_account_has_another_sign_in(msp: Msp) -> None:
    user = api_user(msp.tactical)
    assert msp.connect(
        api_key=None, auth_mode=AuthMode.PASSWORD, username=user.username, password=user.password
    ).ok
    lose_token(msp)
    assert use_at_once(msp) == ["ok"] * MANY
    assert (count(msp, CHECK), count(msp, LOGIN)) == (1, 0)

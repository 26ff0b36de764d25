"""One sign-in at Tactical for all processes: its token is stored, found, and made by one of them.

Everything here may be called from a thread of the session's own, without a context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.errors import PortalError
from portal.lease import LEASE_TIME, beating, make_lease
from portal.models import Integration
from portal.models.integrations.integration import AuthMode, IntegrationState, Stop
from portal.scope import get_tenant_id, tenant_scope
from portal.services.application import get_app
from portal.services.integrations.breaker import REFUSALS, find_stop
from portal.services.integrations.ended_sign_ins import add_ended
from portal.services.integrations.server_health import lock_integration, note_refusal
from portal.tactical.errors import TacticalError
from portal.tactical.http.credentials import ApiKey, Credentials, Password
from portal.tactical.http.knox import Pause, TokenStore
from portal.vault import find_secret, forget_secrets, list_change_times, store_secret

POLL_SECONDS: Final = 0.2
"""How often one that waits for another's sign-in looks whether that is over."""


class SharedSignIn(TokenStore):
    """Of one integration, as it was when this was made. Raises SecretUnreadable."""

    def __init__(self, integration: Integration) -> None:
        self._app, self._tenant_id, self._id = get_app(), get_tenant_id(), integration.id
        self._base_url = integration.base_url
        self.credentials = read_credentials(integration)
        is_key = isinstance(self.credentials, ApiKey)  # which no token is made of
        self._opened = None if is_key else identify_connection(integration)

    def keep(self, token: str | None) -> None:
        """Store the token, or forget the one that died.

        Once the connection is another one, a token of the old is not its: it is ended instead.
        """
        with self._transaction() as session:
            integration = session.get_one(Integration, self._id)
            if identify_connection(integration) != self._opened:
                if token is not None:
                    add_ended(session, self._id, self._base_url, token)
            elif token is None:
                forget_secrets(session, integration, "knox_token")
            else:
                store_secret(session, integration, "knox_token", token)
                # A one-time code is spent by the login that gave this token.
                forget_secrets(session, integration, "totp_code")

    def find(self) -> str | None:
        """None once the connection is another one: its token is not for the old server."""
        with self._app.app_context(), tenant_scope(self._tenant_id):
            integration = db.session.get_one(Integration, self._id)
            if identify_connection(integration) != self._opened:
                return None
            return find_secret(integration, "knox_token")

    def note_refusal(self, error: PortalError) -> None:
        """Stop the schedule if the error says that the credentials are refused, and they still
        are the integration's."""
        stop = find_stop(error)
        if stop is None:
            return
        with self._transaction() as session:
            integration = lock_integration(session, self._id)
            if integration.base_url != self._base_url or not self._are_still_those(integration):
                return
            if stop is Stop.CODE_NEEDED and find_secret(integration, "knox_token") is not None:
                return  # somebody entered one meanwhile
            note_refusal(integration, error)

    @contextmanager
    def lock(self, pause: Pause) -> Iterator[None]:
        """Held while one process signs in. It ends with its process, by itself.

        One that had to wait for a sign-in that was refused raises the same refusal.
        """
        lease, asked_at, has_waited = make_lease(), utc_now(), False
        while not self._take(lease):
            pause(POLL_SECONDS)
            has_waited = True
        try:
            if has_waited:
                self._check_refused_since(asked_at)
            with tenant_scope(self._tenant_id), beating(self._app, lambda: self._renew(lease)):
                yield
        except TacticalError as error:
            self.note_refusal(error)  # before anybody who waits can try the same
            raise
        finally:
            self._release(lease)

    def _take(self, lease: str) -> bool:
        now = utc_now()
        is_free = or_(Integration.sign_in_until.is_(None), Integration.sign_in_until < now)
        statement = update(Integration).where(Integration.id == self._id, is_free)
        values = {"sign_in_lease": lease, "sign_in_until": now + LEASE_TIME}
        with self._transaction() as session:
            return changed_one(session, statement.values(**values))

    def _renew(self, lease: str) -> bool:
        return self._change(lease, lease, utc_now() + LEASE_TIME)

    def _release(self, lease: str) -> None:
        self._change(lease, None, None)

    def _change(self, lease: str, new: str | None, until: datetime | None) -> bool:
        statement = update(Integration).where(
            Integration.id == self._id, Integration.sign_in_lease == lease
        )
        with self._transaction() as session:
            return changed_one(session, statement.values(sign_in_lease=new, sign_in_until=until))

    def _check_refused_since(self, moment: datetime) -> None:
        with self._app.app_context(), tenant_scope(self._tenant_id):
            found = db.session.execute(
                select(Integration.stopped_for, Integration.stopped_at).where(
                    Integration.id == self._id
                )
            ).one()
        if found.stopped_for is not None and found.stopped_at >= moment:
            raise REFUSALS[found.stopped_for]()

    def _are_still_those(self, integration: Integration) -> bool:
        present = read_credentials(integration)
        return _without_passing(present) == _without_passing(self.credentials)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._app.app_context(), tenant_scope(self._tenant_id), transaction() as session:
            yield session


def read_credentials(integration: Integration) -> Credentials:
    """As they are stored. Raises SecretUnreadable."""
    if integration.auth_mode is AuthMode.API_KEY:
        return ApiKey(find_secret(integration, "api_key") or "")
    return Password(
        username=integration.username,
        password=find_secret(integration, "password") or "",
        totp_secret=find_secret(integration, "totp_secret"),
        totp_code=find_secret(integration, "totp_code"),
        token=find_secret(integration, "knox_token"),
    )


def identify_connection(integration: Integration) -> tuple[object, ...]:
    """What a test, or a sign-in, is of: another address or credential needs another one."""
    stored = list_change_times(integration)
    credentials = {field: stored.get(field) for field in ("api_key", "password", "totp_secret")}
    is_disconnected = integration.state is IntegrationState.DISCONNECTED
    return (
        integration.base_url,
        integration.auth_mode,
        integration.username,
        is_disconnected,
        credentials,
    )


def _without_passing(credentials: Credentials) -> Credentials:
    """What a person entered for good: codes and tokens come and go."""
    if isinstance(credentials, ApiKey):
        return credentials
    return replace(credentials, totp_code=None, token=None)

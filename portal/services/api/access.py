"""What a token of the API gives to the program that shows it."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload

from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.errors import PortalError
from portal.models import ApiToken
from portal.scope import Clients, all_tenants
from portal.services.accounts.limits import read_limit
from portal.services.accounts.tokens import digest
from portal.services.api.tokens import is_expired

log = logging.getLogger(__name__)

NOTED_EVERY = timedelta(minutes=1)
NOTING_SECONDS = 1.0


class TokenRefused(PortalError):
    """No token, or one that opens nothing: unknown, revoked, expired."""


class TokenForbidden(PortalError):
    """A token that is valid, but not from there, or not for that."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a token gives to whoever shows it; `clients` as `portal.scope.limited_to` has them."""

    token_id: int
    tenant_id: int
    slug: str
    scopes: frozenset[str]
    clients: Clients


def identify(secret: str, address: str) -> Access:
    """Whose token it is, used from this address; that it was used is noted once a minute.

    Raises TokenRefused, and TokenForbidden for an address that it may not be used from.
    """
    with all_tenants():
        token = db.session.scalar(
            select(ApiToken)
            .options(joinedload(ApiToken.tenant))
            .where(ApiToken.token_digest == digest(secret))
        )
        if token is None:
            raise TokenRefused(
                "The API does not know this token: it was revoked, or was never one. Make another "
                "one under API in the portal, or with `portal tokens add`."
            )
        if is_expired(token):
            raise TokenRefused(
                f"This token expired on {token.expires_at:%Y-%m-%d}. Make another one under API in "
                "the portal, or with `portal tokens add`."
            )
        if not is_within(address, token.networks):
            raise TokenForbidden(f"This token must not be used from {address or 'there'}.")
        scopes, clients = frozenset(token.scopes), read_limit(token)
        found = Access(token.id, token.tenant_id, token.tenant.slug, scopes, clients)
        if token.last_used_at is None or token.last_used_at <= utc_now() - NOTED_EVERY:
            _note_use(token.id, address)
    return found


def is_within(address: str, networks: Sequence[str]) -> bool:
    """Whether the address is in one of the networks; in any case where there are none."""
    if not networks:
        return True
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped:
        place = place.ipv4_mapped
    return any(place in ipaddress.ip_network(network) for network in networks)


def _note_use(token_id: int, address: str) -> None:
    """In a statement that one of many requests at once finds something to do for. Who only reads
    does not wait for others to write: then it is left to the next request."""
    now = utc_now()
    is_due = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - NOTED_EVERY)
    values = {"last_used_at": now, "last_used_from": address}
    try:
        with transaction(timeout=NOTING_SECONDS) as session:
            note = update(ApiToken).where(ApiToken.id == token_id, is_due).values(values)
            changed_one(session, note)
    except OperationalError:
        log.info("The use of the API token %d was not noted: the database is busy.", token_id)

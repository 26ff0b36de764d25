"""Tokens of the API: made, listed and revoked."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound
from portal.models import ApiToken
from portal.services.accounts.limits import (
    check_clients,
    describe_limit,
    set_limit,
)
from portal.services.accounts.tokens import digest, new_token
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.faults import Faults
from portal.services.lists.ticked import check_ticked
from portal.services.text import clean_line

PREFIX = "rmmp_"
"""So that those who look for secrets in code and logs know it for one."""
ENDING = 4
DEFAULT_DAYS = 90
MOST_DAYS = 365
MOST_NETWORKS = 20
MOST_AT_ONCE = 200


class Scope(StrEnum):
    """What a token opens."""

    READ = "read"
    """Everything but the audit trail."""
    AUDIT = "audit"
    """The audit trail."""


@dataclass(frozen=True, slots=True)
class MadeToken:
    """`secret` is the token itself: shown now, and kept nowhere."""

    token: ApiToken
    secret: str


def add_token(
    name: str,
    scopes: Sequence[str],
    days: int | None = DEFAULT_DAYS,
    networks: Sequence[str] = (),
    client_ids: Collection[int] | None = None,
    made_by: int | None = None,
) -> MadeToken:
    """A token of the scope's tenant; `client_ids`: it is limited to these, None for all.

    Raises InvalidInput that names every field at fault.
    """
    secret, faults = PREFIX + new_token(), Faults()
    token = ApiToken(token_digest=digest(secret), ending=secret[-ENDING:], made_by=made_by)
    with faults.collected():
        token.name = clean_line(name, "name", "a name for the token")
    with faults.collected():
        token.scopes = _check_scopes(scopes)
    with faults.collected():
        token.expires_at = utc_now() + _check_days(days)
    with faults.collected():
        token.networks = _check_networks(networks)
    with faults.collected():
        _check_clients(client_ids, scopes)
    faults.raise_any()
    with transaction() as session:
        session.add(token)
        _flush(session, token)
        set_limit(session, token, client_ids)
        record(Action.TOKEN_MADE, _target(token), after=_facts(token))
    return MadeToken(token, secret)


def list_tokens() -> list[ApiToken]:
    """Those of the scope's tenant, expired ones too, by name."""
    query = select(ApiToken).options(joinedload(ApiToken.maker)).order_by(ApiToken.name)
    return list(db.session.scalars(query))


def revoke_tokens(token_ids: Iterable[int]) -> list[str]:
    """They open nothing from the next request on; their names. Raises InvalidInput for none, and
    NotFound."""
    return _revoke(ApiToken.id.in_(check_ticked(token_ids, "token", MOST_AT_ONCE)))


def revoke_token_named(name: str) -> str:
    """Raises NotFound."""
    return _revoke(ApiToken.name == " ".join(name.split()))[0]


def is_expired(token: ApiToken) -> bool:
    return token.expires_at <= utc_now()


def _flush(session: Session, token: ApiToken) -> None:
    """The database says whether the name is taken: two people may make a token at once."""
    try:
        session.flush()
    except IntegrityError as error:
        raise InvalidInput(
            f"There is a token named {token.name} already. Choose another name, or revoke that "
            "one.",
            field="name",
        ) from error


def _revoke(which: ColumnElement[bool]) -> list[str]:
    with transaction() as session:
        tokens = session.scalars(select(ApiToken).where(which).order_by(ApiToken.name)).all()
        if not tokens:
            raise NotFound("There is no such token. It may have been revoked already.")
        for token in tokens:
            facts = _facts(token)
            session.delete(token)
            record(Action.TOKEN_REVOKED, _target(token), before=facts)
    return [token.name for token in tokens]


def _target(token: ApiToken) -> Target:
    return Target("token", token.id, token.name)


def _facts(token: ApiToken) -> dict[str, object]:
    facts: dict[str, object] = {"scopes": token.scopes, "expires_at": token.expires_at}
    facts["clients"] = describe_limit(db.session(), token)
    return facts | ({"networks": token.networks} if token.networks else {})


def _check_clients(client_ids: Collection[int] | None, scopes: Sequence[str]) -> None:
    """The audit trail is the whole tenant's."""
    if client_ids is None:
        return
    if Scope.AUDIT in scopes:
        raise InvalidInput(
            "A token for some clients cannot open the audit trail, which concerns all of them. "
            "Choose `read` alone, or all clients.",
            field="clients",
        )
    check_clients(client_ids)


def _check_scopes(scopes: Sequence[str]) -> list[str]:
    if not scopes or not set(scopes) <= set(Scope):
        words = " or ".join(Scope)
        raise InvalidInput(f"Choose what the token opens: {words}, or both.", field="scopes")
    return [str(scope) for scope in Scope if scope in scopes]


def _check_days(days: int | None) -> timedelta:
    if days is None or not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"Enter a number of days from 1 to {MOST_DAYS}.", field="days")
    return timedelta(days=days)


def _check_networks(networks: Sequence[str]) -> list[str]:
    if len(networks) > MOST_NETWORKS:
        raise InvalidInput(f"Enter at most {MOST_NETWORKS} networks.", field="networks")
    return list(dict.fromkeys(_read_network(text) for text in networks))


def _read_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise InvalidInput(
            f"{text[:100]!r} is not a network. Enter an address or a network such as "
            "198.51.100.7 or 10.20.0.0/16.",
            field="networks",
        ) from error

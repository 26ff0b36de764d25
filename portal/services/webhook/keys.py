"""The secrets that webhooks carry: made, checked, rotated, revealed."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta

from flask import current_app
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import Integration, Tenant, WebhookKey
from portal.scope import all_tenants, tenant_scope
from portal.services.integrations.current import get_integration
from portal.services.webhook.digests import (
    digest,
    digest_with,
    hold_sealed_key,
    open_key,
    select_sealed_key,
)
from portal.vault import find_secret, forget_secrets, store_secret

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=24)
AT_ONCE_OVERLAP = timedelta(minutes=1)
"""How long an old secret may hold at most until Tactical has the new one."""
SECRET_BYTES = 32
NOTE_USE_EVERY = 60.0
"""Seconds. A last use is shown in minutes; a write for each delivery would double the work."""

LAST_USE_TIMEOUT_SECONDS = 0.5

MOST_KEYS = 2
KEPT_SECONDS = 1.0
"""How long the valid secrets of a tenant are kept in memory: a storm asks once a second."""
MOST_TENANTS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose webhook it is: known only after its secret was right."""

    tenant_id: int
    integration_id: int
    key_id: int
    digest: str
    digest_key: bytes = field(repr=False)
    """What the digest was made with."""


def identify_sender(tenant: str | None, secret: str | None) -> Sender | None:
    """The sender with this secret, or None: whatever was wrong takes the same path.

    `tenant` is an id or a slug. Every stored digest is compared, in constant time.
    """
    name, given = tenant or "", secret or ""
    found = _find_match(_list_kept_senders(name), given)
    if found is None:
        # Nobody's, or newer than what is kept: another process may just have rotated.
        found = _find_match(_list_senders(name), given)
    if found is not None:
        _note_use(found)
    return found


def _find_match(senders: list[Sender], given: str) -> Sender | None:
    found: Sender | None = None
    for sender in senders:
        if hmac.compare_digest(sender.digest, digest_with(sender.digest_key, given)):
            found = sender
    return found


@dataclass(slots=True)
class _Kept:
    """What one process remembers: valid senders by tenant, and when a use was noted."""

    senders: dict[str, tuple[float, list[Sender]]] = field(default_factory=dict)
    noted: dict[int, float] = field(default_factory=dict)


def _kept() -> _Kept:
    kept: _Kept = current_app.extensions.setdefault("webhook_keys", _Kept())
    return kept


def _list_kept_senders(tenant: str) -> list[Sender]:
    kept = _kept().senders.get(tenant)
    return kept[1] if kept is not None and kept[0] > time.monotonic() else []


def _list_senders(tenant: str) -> list[Sender]:
    """The senders whose secrets are valid now, for a tenant's id or slug; or none."""
    senders, kept = _load_senders(tenant), _kept().senders
    if len(kept) >= MOST_TENANTS_KEPT:
        kept.clear()
    kept.pop(tenant, None)
    if senders:
        kept[tenant] = (time.monotonic() + KEPT_SECONDS, senders)
    return senders


def _load_senders(tenant: str) -> list[Sender]:
    if "\0" in tenant:
        return []  # PostgreSQL cannot even be asked
    by_id = tenant.isascii() and tenant.isdigit() and len(tenant) < 19
    with all_tenants():
        rows = db.session.execute(
            select(
                WebhookKey.tenant_id,
                WebhookKey.integration_id,
                WebhookKey.id,
                WebhookKey.digest,
                select_sealed_key(),
            )
            .join(Integration, Integration.id == WebhookKey.integration_id)
            .join(Tenant, Tenant.id == WebhookKey.tenant_id)
            .where(
                Tenant.id == int(tenant) if by_id else Tenant.slug == tenant,
                Integration.set_aside_at.is_(None),
                is_valid(),
            )
        ).all()
    return [
        Sender(tenant_id, integration_id, key_id, made, open_key(sealed_key))
        for tenant_id, integration_id, key_id, made, sealed_key in rows
    ]


def _note_use(sender: Sender) -> None:
    """Remember when the secret was used last, to the minute. Not worth waiting or failing for."""
    now, noted = time.monotonic(), _kept().noted
    if noted.get(sender.key_id, -NOTE_USE_EVERY) > now - NOTE_USE_EVERY:
        return
    noted[sender.key_id] = now
    used_now = update(WebhookKey).where(WebhookKey.id == sender.key_id)
    try:
        with tenant_scope(sender.tenant_id), transaction(LAST_USE_TIMEOUT_SECONDS) as session:
            session.execute(used_now.values(last_used_at=utc_now()))
    except SQLAlchemyError as error:
        log.info("The use of webhook key %s was not noted: %s", sender.key_id, error)


def ensure_key(session: Session, integration: Integration) -> WebhookKey:
    """The present key, made if there is none. Inside a transaction."""
    present = find_present_key(integration)
    return present or _add_key(session, integration)


def add_next_key(session: Session, at_once: bool = False) -> list[int]:
    """A new secret, inside a transaction; the ids of the old ones, which hold for 24 hours more.

    At once they hold for a minute, until Tactical has the new one and `end_keys` is called.
    Raises Refused while an earlier rotation still overlaps, unless at once: a third secret
    would push out one that Tactical may still send.
    """
    integration = get_integration()
    of_integration = WebhookKey.integration_id == integration.id
    keys = session.scalars(select(WebhookKey).where(of_integration, is_valid())).all()
    if len(keys) >= MOST_KEYS and not at_once:
        raise Refused(
            "The last rotation has not finished: two secrets are valid now. Wait until the older "
            "one expires, or rotate at once."
        )
    end = utc_now() + (AT_ONCE_OVERLAP if at_once else OVERLAP)
    for key in keys:
        key.expires_at = min(key.expires_at or end, end)
    session.flush()
    _kept().senders.clear()
    old_ids = [key.id for key in keys]
    _add_key(session, integration)
    return old_ids


def end_keys(ids: list[int]) -> None:
    with transaction() as session:
        for key in session.scalars(select(WebhookKey).where(WebhookKey.id.in_(ids))):
            forget_secrets(session, key)
            session.delete(key)
    _kept().senders.clear()


def reveal() -> str:
    """The present secret in full. The caller has asked for the password again."""
    with transaction() as session:
        secret = find_secret(ensure_key(session, get_integration()), "value")
    assert secret is not None
    return secret


def find_present_key(integration: Integration) -> WebhookKey | None:
    return db.session.scalar(
        select(WebhookKey)
        .where(WebhookKey.integration_id == integration.id, WebhookKey.expires_at.is_(None))
        .order_by(WebhookKey.id.desc())
        .limit(1)
    )


def is_valid() -> ColumnElement[bool]:
    """Of webhook keys, in SQL: those that let somebody in now."""
    return WebhookKey.expires_at.is_(None) | (WebhookKey.expires_at > utc_now())


def _add_key(session: Session, integration: Integration) -> WebhookKey:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    made = digest(secret, hold_sealed_key(session))
    key = WebhookKey(integration_id=integration.id, digest=made)
    session.add(key)
    session.flush()
    store_secret(session, key, "value", secret)
    return key

"""The secrets that webhooks carry: made, checked, rotated, revealed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import db, transaction, utc_now
from portal.errors import Refused
from portal.models import Integration, Tenant, WebhookKey
from portal.scope import tenant_scope
from portal.services.integrations import find_integration, get_integration
from portal.vault import find_secret, forget_secrets, store_secret

OVERLAP = timedelta(hours=24)
SECRET_BYTES = 32
NOTE_USE_EVERY = timedelta(minutes=1)
"""A last use is shown in minutes; a write for each delivery would double the work."""

MOST_KEYS = 2


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose webhook it is: known only after its secret was right."""

    tenant_id: int
    integration_id: int
    key_id: int
    key_used_at: object


def identify_sender(tenant: str | None, secret: str | None) -> Sender | None:
    """The sender with this secret, or None: whatever was wrong takes the same path.

    `tenant` is an id or a slug. Every stored digest is compared, in constant time.
    """
    found = _find_tenant(tenant or "")
    given = _digest(secret or "")
    sender: Sender | None = None
    for key in _list_keys(found):
        if hmac.compare_digest(key.digest, given) and secret:
            sender = Sender(key.tenant_id, key.integration_id, key.id, key.last_used_at)
    return sender


def note_use(session: Session, sender: Sender) -> None:
    """Remember when the secret was used last, to the minute."""
    key = session.get(WebhookKey, sender.key_id)
    now = utc_now()
    if key is not None and (key.last_used_at is None or key.last_used_at < now - NOTE_USE_EVERY):
        key.last_used_at = now


def ensure_key(session: Session, integration: Integration) -> WebhookKey:
    """The present key, made if there is none. Inside a transaction."""
    present = find_present_key(integration)
    return present or _add_key(session, integration)


def rotate(at_once: bool = False) -> str:
    """A new secret; the old one holds for 24 hours more, or not at all.

    Raises Refused while an earlier rotation still overlaps, unless at once: a third secret
    would push out one that Tactical may still send.
    """
    with transaction() as session:
        integration = get_integration()
        keys = _list_valid_keys(session, integration)
        if len(keys) >= MOST_KEYS and not at_once:
            raise Refused(
                "The last rotation is not over: two secrets are valid now. Wait for the older "
                "one to expire, or rotate at once."
            )
        for key in keys:
            if at_once:
                forget_secrets(session, key)
                session.delete(key)
            else:
                key.expires_at = utc_now() + OVERLAP
        session.flush()
        key = _add_key(session, integration)
        secret = find_secret(key, "value")
    assert secret is not None
    return secret


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


def list_keys() -> list[WebhookKey]:
    """The valid keys of the connected integration, the present one first."""
    integration = find_integration()
    if integration is None:
        return []
    keys = _list_valid_keys(db.session(), integration)
    return sorted(keys, key=lambda key: (key.expires_at is not None, -key.id))


def _list_valid_keys(session: Session, integration: Integration) -> list[WebhookKey]:
    return list(
        session.scalars(
            select(WebhookKey).where(
                WebhookKey.integration_id == integration.id,
                (WebhookKey.expires_at.is_(None)) | (WebhookKey.expires_at > utc_now()),
            )
        )
    )


def _add_key(session: Session, integration: Integration) -> WebhookKey:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = WebhookKey(integration_id=integration.id, digest=_digest(secret))
    session.add(key)
    session.flush()
    store_secret(session, key, "value", secret)
    return key


def _find_tenant(word: str) -> int | None:
    by_id = word.isascii() and word.isdigit() and len(word) < 19
    condition = Tenant.id == int(word) if by_id else Tenant.slug == word
    return db.session.scalar(select(Tenant.id).where(condition))


def _list_keys(tenant_id: int | None) -> list[WebhookKey]:
    """The tenant's valid keys of live integrations; none for no tenant, after the same query."""
    with tenant_scope(tenant_id or 0):
        return list(
            db.session.scalars(
                select(WebhookKey)
                .join(Integration, Integration.id == WebhookKey.integration_id)
                .where(
                    Integration.set_aside_at.is_(None),
                    (WebhookKey.expires_at.is_(None)) | (WebhookKey.expires_at > utc_now()),
                )
            )
        )


def _digest(secret: str) -> str:
    """Keyed with the install's own key: a stolen database does not let secrets be tried."""
    key = current_app.extensions["webhook_digest_key"]
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()

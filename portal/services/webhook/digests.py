"""Digests of webhook secrets, and the key of their own that they are made with.

The key lies sealed in the database, so that all machines of an install share it. With it a stolen
database does not let secrets be tried; without the secrets themselves it gives none away.
"""

from __future__ import annotations

import base64
import hmac
import secrets

from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session

from portal.db import insert
from portal.models import InstallSetting, WebhookKey
from portal.scope import all_tenants, tenant_scope
from portal.vault import find_secret, get_vault

SETTING = "webhook_digest_key"
BOUND_TO = f"install/{SETTING}"
KEY_BYTES = 32


def digest(secret: str, sealed_key: str) -> str:
    """Raises SecretUnreadable when the key that it was sealed with is gone."""
    return digest_with(open_key(sealed_key), secret)


def open_key(sealed_key: str) -> bytes:
    """Raises SecretUnreadable."""
    return base64.b64decode(get_vault().open(sealed_key, BOUND_TO))


def digest_with(key: bytes, secret: str) -> str:
    return hmac.digest(key, secret.encode(), "sha256").hex()


def select_sealed_key() -> ScalarSelect[str]:
    """To be read in one statement with the digests: both change in one transaction."""
    return select(InstallSetting.value).where(InstallSetting.key == SETTING).scalar_subquery()


def hold_sealed_key(session: Session) -> str:
    """The key, made on first use. Nobody renews it before the end of the transaction."""
    made = {"key": SETTING, "value": _make_sealed()}
    session.execute(insert(InstallSetting).values(made).on_conflict_do_nothing())
    return _get_held(session).value


def renew(session: Session) -> int:
    """A new key, and every digest made anew from the secret itself; how many.

    Raises SecretUnreadable when a secret cannot be read; then the key must stay.
    """
    hold_sealed_key(session)
    setting = _get_held(session)
    setting.value = _make_sealed()
    with all_tenants():
        keys = session.scalars(select(WebhookKey)).all()
    for key in keys:
        with tenant_scope(key.tenant_id):
            secret = find_secret(key, "value")
            if secret is not None:
                key.digest = digest(secret, setting.value)
            session.flush()
    return len(keys)


def _get_held(session: Session) -> InstallSetting:
    return session.get_one(InstallSetting, SETTING, with_for_update=True, populate_existing=True)


def _make_sealed() -> str:
    text = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return get_vault().seal(text, BOUND_TO)

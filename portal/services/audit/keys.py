"""The keys of the audit trail's codes: one derived from each encryption key of the install.

Whoever holds only the database has none of them, so cannot make a code. A derived key leads back
to no other. One is kept sealed, like any secret, so that rows written under an encryption key can
still be verified after that key was rotated and removed.
"""

from __future__ import annotations

import base64
import hmac

from sqlalchemy.orm import Session

from portal.db import db, insert
from portal.models import InstallSetting
from portal.vault import get_vault

PREFIX = "audit_key."
"""Of the settings that keep them; the id of the encryption key follows."""
_PURPOSE = b"audit trail"


def bind_to(setting: str) -> str:
    return f"install/{setting}"


def hold_present_key(session: Session) -> tuple[str, bytes]:
    """The id and the key for new rows; kept, inside the transaction, where it is not yet."""
    key_id, key = next(iter(get_vault().keys.items()))
    derived = _derive(key)
    if session.get(InstallSetting, PREFIX + key_id) is None:
        _keep(session, key_id, derived)
    return key_id, derived


def find_key(key_id: str) -> bytes | None:
    """None for one that this install does not have. Raises SecretUnreadable."""
    keys = get_vault().keys
    if key_id in keys:
        return _derive(keys[key_id])
    setting = db.session.get(InstallSetting, PREFIX + key_id, populate_existing=True)
    if setting is None:
        return None
    return base64.b64decode(get_vault().open(setting.value, bind_to(setting.key)))


def _derive(key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE, "sha256")


def _keep(session: Session, key_id: str, derived: bytes) -> None:
    setting = PREFIX + key_id
    sealed = get_vault().seal(base64.b64encode(derived).decode(), bind_to(setting))
    row = {"key": setting, "value": sealed}
    session.execute(insert(InstallSetting).values(row).on_conflict_do_nothing())

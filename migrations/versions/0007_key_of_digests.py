"""The key that webhook secrets are digested with: no longer derived from an encryption key.

Until it is renewed it is the derived one, sealed, so that the digests that there are still hold.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import sqlalchemy as sa
from alembic import op
from flask import current_app

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SETTING = "webhook_digest_key"

settings = sa.table("install_settings", sa.column("key"), sa.column("value"))


def upgrade() -> None:
    digests = sa.select(sa.func.count()).select_from(sa.table("webhook_keys"))
    if not op.get_bind().scalar(digests):
        return  # it is made on first use
    vault = current_app.extensions["vault"]
    oldest = list(vault.keys.values())[-1]
    derived = hmac.new(oldest, b"webhook secrets", hashlib.sha256).digest()
    sealed = vault.seal(base64.b64encode(derived).decode(), f"install/{SETTING}")
    op.execute(settings.insert().values(key=SETTING, value=sealed))


def downgrade() -> None:
    """Digests that were renewed since do not hold any more: rotate the webhook secrets."""
    op.execute(settings.delete().where(settings.c.key == SETTING))

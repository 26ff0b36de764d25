"""Addresses of subscribers encrypted; of passwords and seeds not even the last letters kept.

It needs the encryption keys, which the application that runs it has. All or nothing: after a
start that broke off, it begins anew.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op
from flask import current_app

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OWNER, FIELD = "event_subscribers", "url"

subscribers = sa.table(
    OWNER, sa.column("id"), sa.column("tenant_id"), sa.column("url"), sa.column("host")
)
secrets = sa.table(
    "secrets",
    sa.column("tenant_id"),
    sa.column("owner"),
    sa.column("owner_id"),
    sa.column("field"),
    sa.column("envelope"),
    sa.column("last_four"),
    sa.column("updated_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    with op.batch_alter_table(OWNER) as batch_op:
        batch_op.add_column(sa.Column("host", sa.String(), nullable=True))
    _seal_addresses(op.get_bind())
    with op.batch_alter_table(OWNER) as batch_op:
        batch_op.alter_column("host", existing_type=sa.String(), nullable=False)
        batch_op.drop_constraint(op.f("uq_event_subscribers_tenant_id_url"), type_="unique")
        batch_op.drop_column("url")
    shown = secrets.c.field.in_(["api_key", "value"])
    op.execute(secrets.update().where(~shown).values(last_four=""))


def downgrade() -> None:
    """The wiped letters do not come back: a credential gets its own when it is entered again."""
    with op.batch_alter_table(OWNER) as batch_op:
        batch_op.add_column(sa.Column("url", sa.String(), nullable=True))
    _open_addresses(op.get_bind())
    with op.batch_alter_table(OWNER) as batch_op:
        batch_op.alter_column("url", existing_type=sa.String(), nullable=False)
        batch_op.create_unique_constraint(
            op.f("uq_event_subscribers_tenant_id_url"), ["tenant_id", "url"]
        )
        batch_op.drop_column("host")


def _seal_addresses(bind: sa.Connection) -> None:
    vault, now = current_app.extensions["vault"], datetime.now(UTC)
    columns = (subscribers.c.id, subscribers.c.tenant_id, subscribers.c.url)
    for row in bind.execute(sa.select(*columns)).all():
        secret = {
            "tenant_id": row.tenant_id,
            "owner": OWNER,
            "owner_id": row.id,
            "field": FIELD,
            "envelope": vault.seal(row.url, _binding(row)),
            "last_four": "",
            "updated_at": now,
        }
        bind.execute(secrets.insert(), secret)
        one = subscribers.update().where(subscribers.c.id == row.id)
        bind.execute(one.values(host=urlsplit(row.url).netloc))


def _open_addresses(bind: sa.Connection) -> None:
    vault = current_app.extensions["vault"]
    is_address = (secrets.c.owner == OWNER) & (secrets.c.field == FIELD)
    sealed = sa.select(subscribers.c.id, subscribers.c.tenant_id, secrets.c.envelope).join_from(
        subscribers, secrets, is_address & (secrets.c.owner_id == subscribers.c.id)
    )
    for row in bind.execute(sealed).all():
        one = subscribers.update().where(subscribers.c.id == row.id)
        bind.execute(one.values(url=vault.open(row.envelope, _binding(row))))
    bind.execute(secrets.delete().where(is_address))


def _binding(row: sa.Row[Any, Any, Any]) -> str:
    """As `portal.vault` writes it: an envelope opens in its own place alone."""
    return f"{row.tenant_id}/{OWNER}/{row.id}/{FIELD}"

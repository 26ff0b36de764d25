"""Tokens of the API may be limited to some of the tenant's clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "api_token_clients"
REFERRED = {"api_token_id": "api_tokens", "client_id": "clients", "tenant_id": "tenants"}


def upgrade() -> None:
    limited: sa.Column[bool] = sa.Column(
        "limited", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("api_tokens", limited)
    op.create_table(
        TABLE,
        sa.Column("id", NUMBER, nullable=False),
        *(sa.Column(column, NUMBER, nullable=False) for column in REFERRED),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{referred}.id"],
                name=op.f(f"fk_{TABLE}_{column}_{referred}"),
                ondelete="CASCADE",
            )
            for column, referred in REFERRED.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint(
            "api_token_id", "client_id", name=op.f(f"uq_{TABLE}_api_token_id_client_id")
        ),
    )
    op.create_index(op.f(f"ix_{TABLE}_client_id"), TABLE, ["client_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
    with op.batch_alter_table("api_tokens") as batch:
        batch.drop_column("limited")

"""Places and invitations may be limited to some of the tenant's clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLACES = {"memberships": "membership", "invitations": "invitation"}


def upgrade() -> None:
    for table, place in PLACES.items():
        limited: sa.Column[bool] = sa.Column(
            "limited", sa.Boolean(), nullable=False, server_default=sa.false()
        )
        op.add_column(table, limited)
        _create_clients_of(table, place)


def downgrade() -> None:
    for table, place in PLACES.items():
        op.drop_table(f"{place}_clients")
        with op.batch_alter_table(table) as batch:
            batch.drop_column("limited")


def _create_clients_of(table: str, place: str) -> None:
    name = f"{place}_clients"
    op.create_table(
        name,
        sa.Column("id", NUMBER, nullable=False),
        sa.Column(f"{place}_id", NUMBER, nullable=False),
        sa.Column("client_id", NUMBER, nullable=False),
        sa.Column("tenant_id", NUMBER, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{referred}.id"],
                name=op.f(f"fk_{name}_{column}_{referred}"),
                ondelete="CASCADE",
            )
            for column, referred in (
                (f"{place}_id", table),
                ("client_id", "clients"),
                ("tenant_id", "tenants"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint(
            f"{place}_id", "client_id", name=op.f(f"uq_{name}_{place}_id_client_id")
        ),
    )
    op.create_index(op.f(f"ix_{name}_client_id"), name, ["client_id"])

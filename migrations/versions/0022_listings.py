"""How the last complete listing of the fleet was made, so that the next one can be compared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("rmm_integrations", sa.Column("listed_as", sa.String()))
    op.add_column("rmm_integrations", sa.Column("listed_run_id", NUMBER))


def downgrade() -> None:
    op.drop_column("rmm_integrations", "listed_run_id")
    op.drop_column("rmm_integrations", "listed_as")

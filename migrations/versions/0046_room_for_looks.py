"""Room beside each asset for its next version, so that a look at the fleet writes no index anew."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Holds for pages that PostgreSQL begins from now on; SQLite updates rows in their place.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE assets SET (fillfactor = 50)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE assets RESET (fillfactor)")

"""Four roles: who was an admin could do everything, and so is an owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_memberships = sa.table("memberships", sa.column("role", sa.String))


def upgrade() -> None:
    _rename("admin", "owner")


def downgrade() -> None:
    """Two roles again: who is not in the old table could open nothing at all."""
    _rename("technician", "viewer")
    _rename("owner", "admin")


def _rename(old: str, new: str) -> None:
    op.execute(_memberships.update().where(_memberships.c.role == old).values(role=new))

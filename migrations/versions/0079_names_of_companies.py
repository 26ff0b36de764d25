"""What the names of clients and organizations say stands beside them, to find those that say the
same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.models.organizations.company import company_columns

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

_COLUMNS = ("company_words", "company_plain", "company_full", "company_forms")
_NAMES = {"clients": "name", "rmm_organization_mappings": "external_organization_name"}
_FOUND_BY = {
    "ix_clients_company_plain": ("company_plain", "company_forms"),
    "ix_clients_company_full": ("company_full", "company_plain"),
}
_AT_ONCE = 1000


def upgrade() -> None:
    for table, name in _NAMES.items():
        for column in _COLUMNS:
            empty = sa.text("''")
            op.add_column(
                table, sa.Column(column, sa.String(), nullable=False, server_default=empty)
            )
        _read_names(table, name)
    for name, columns in _FOUND_BY.items():
        op.create_index(name, "clients", ["tenant_id", *columns])


def downgrade() -> None:
    for name in _FOUND_BY:
        op.drop_index(name, "clients")
    for table in _NAMES:
        with op.batch_alter_table(table) as batch:
            for column in _COLUMNS:
                batch.drop_column(column)


def _read_names(table: str, name: str) -> None:
    rows = sa.table(table, *(sa.column(each) for each in ("id", name, *_COLUMNS)))
    filled = (
        sa.update(rows)
        .where(rows.c.id == sa.bindparam("row"))
        .values({column: sa.bindparam(f"to_{column}") for column in _COLUMNS})
    )
    connection, last = op.get_bind(), 0
    some = sa.select(rows.c.id, rows.c[name]).order_by(rows.c.id).limit(_AT_ONCE)
    while found := connection.execute(some.where(rows.c.id > last)).all():
        last = found[-1][0]
        connection.execute(filled, [_read(*row) for row in found])


def _read(row_id: int, name: str) -> dict[str, object]:
    return {"row": row_id} | {f"to_{key}": value for key, value in company_columns(name).items()}

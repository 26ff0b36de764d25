"""One title of a publisher, however its agents spell it."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TITLES = sa.table(
    "software_catalog",
    sa.column("id", sa.BigInteger),
    sa.column("tenant_id", sa.BigInteger),
    sa.column("normalized_name", sa.String),
    sa.column("publisher", sa.String),
    sa.column("normalized_publisher", sa.String),
    sa.column("asset_count", sa.BigInteger),
    sa.column("version_count", sa.BigInteger),
)
INSTALLS = sa.table(
    "asset_software",
    sa.column("id", sa.BigInteger),
    sa.column("asset_id", sa.BigInteger),
    sa.column("title_id", sa.BigInteger),
    sa.column("version", sa.String),
    sa.column("removed_at", sa.DateTime(timezone=True)),
)
ROWS_AT_ONCE = 1000


def upgrade() -> None:
    with op.batch_alter_table("software_catalog", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("normalized_publisher", sa.String(), server_default="", nullable=False)
        )
    _fill_publishers()
    _join_titles()
    with op.batch_alter_table("software_catalog", schema=None) as batch_op:
        batch_op.alter_column("normalized_publisher", server_default=None)
        batch_op.drop_constraint(
            batch_op.f("uq_software_catalog_tenant_id_normalized_name_publisher"), type_="unique"
        )
        batch_op.create_unique_constraint(
            "uq_software_catalog_title", ["tenant_id", "normalized_name", "normalized_publisher"]
        )


def downgrade() -> None:
    with op.batch_alter_table("software_catalog", schema=None) as batch_op:
        batch_op.drop_constraint("uq_software_catalog_title", type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_software_catalog_tenant_id_normalized_name_publisher"),
            ["tenant_id", "normalized_name", "publisher"],
        )
        batch_op.drop_column("normalized_publisher")


def _normalize(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())[:300].rstrip()


def _fill_publishers() -> None:
    connection = op.get_bind()
    publishers = connection.scalars(sa.select(TITLES.c.publisher).distinct()).all()
    statement = (
        sa.update(TITLES)
        .where(TITLES.c.publisher == sa.bindparam("spelt"))
        .values(normalized_publisher=sa.bindparam("normalized"))
    )
    rows = [{"spelt": each, "normalized": _normalize(each)} for each in publishers if each]
    if rows:
        connection.execute(statement, rows)


def _join_titles() -> None:
    """The installs of titles that differ in their publisher's spelling go to the oldest one."""
    key = (TITLES.c.tenant_id, TITLES.c.normalized_name, TITLES.c.normalized_publisher)
    connection = op.get_bind()
    again = sa.select(*key).group_by(*key).having(sa.func.count() > 1).subquery()
    same = sa.and_(*(column == again.c[column.name] for column in key))
    groups: dict[Any, list[int]] = defaultdict(list)
    found = sa.select(TITLES.c.id, *key).join(again, same).order_by(TITLES.c.id)
    for title_id, *group in connection.execute(found):
        groups[tuple(group)].append(title_id)
    for kept, *others in groups.values():
        _join_installs(kept, others)
        connection.execute(sa.delete(TITLES).where(TITLES.c.id.in_(others)))
        _count(kept)


def _join_installs(kept: int, others: list[int]) -> None:
    """Of an asset's equal versions one that is installed stays."""
    connection = op.get_bind()
    found = sa.select(INSTALLS).where(INSTALLS.c.title_id.in_([kept, *others]))
    seen: set[tuple[int, str]] = set()
    surplus = []
    rows = connection.execute(found).all()
    for row in sorted(rows, key=lambda row: (row.removed_at is not None, row.id)):
        if (row.asset_id, row.version) in seen:
            surplus.append(row.id)
        seen.add((row.asset_id, row.version))
    for start in range(0, len(surplus), ROWS_AT_ONCE):
        some = surplus[start : start + ROWS_AT_ONCE]
        connection.execute(sa.delete(INSTALLS).where(INSTALLS.c.id.in_(some)))
    moved = sa.update(INSTALLS).where(INSTALLS.c.title_id.in_(others)).values(title_id=kept)
    connection.execute(moved)


def _count(title_id: int) -> None:
    installed = sa.and_(INSTALLS.c.title_id == title_id, INSTALLS.c.removed_at.is_(None))
    assets, versions = (
        sa.select(sa.func.count(column.distinct())).where(installed).scalar_subquery()
        for column in (INSTALLS.c.asset_id, INSTALLS.c.version)
    )
    counted = sa.update(TITLES).where(TITLES.c.id == title_id)
    op.get_bind().execute(counted.values(asset_count=assets, version_count=versions))

"""Products, of which titles of software differ in a version or a language alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from portal.product_names import name_product
from portal.sync.software.placing import (
    Placing,
    ProductKey,
    UnplacedTitle,
    Version,
    plan_products,
    summarize_versions,
)

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTS = ("asset_count", "install_count", "version_count", "older_count")
_TEXTS = ("publisher", "publisher_key", "newest_version")
_AT_ONCE = 1000

PRODUCTS = sa.table(
    "software_products",
    *(sa.column(name, sa.BigInteger) for name in ("id", "tenant_id", *_COUNTS)),
    *(sa.column(name, sa.String) for name in ("name", "name_key", *_TEXTS)),
    sa.column("created_at", sa.DateTime(timezone=True)),
)
TITLES = sa.table(
    "software_catalog",
    *(sa.column(name, sa.BigInteger) for name in ("id", "tenant_id", "product_id")),
    *(sa.column(name, sa.String) for name in ("name", "publisher", "named_version")),
)
INSTALLS = sa.table(
    "asset_software",
    *(sa.column(name, sa.BigInteger) for name in ("asset_id", "title_id")),
    sa.column("version", sa.String),
    sa.column("removed_at", sa.DateTime(timezone=True)),
)
ASSETS = sa.table(
    "assets",
    sa.column("id", sa.BigInteger),
    sa.column("missing_since", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.create_table(
        "software_products",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''"))
            for name in _TEXTS
        ),
        *(sa.Column(name, _BIG, nullable=False, server_default=sa.text("0")) for name in _COUNTS),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_software_products_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_software_products")),
        sa.UniqueConstraint(
            "tenant_id", "name_key", "publisher_key", name="uq_software_products_product"
        ),
    )
    op.create_index(
        op.f("ix_software_products_tenant_id_software_products_asset_count"),
        "software_products",
        ["tenant_id", "asset_count"],
    )
    with op.batch_alter_table("software_catalog") as batch:
        batch.add_column(sa.Column("product_id", _BIG, nullable=True))
        batch.add_column(
            sa.Column("named_version", sa.String(), nullable=False, server_default=sa.text("''"))
        )
        batch.create_foreign_key(
            op.f("fk_software_catalog_product_id_software_products"),
            "software_products",
            ["product_id"],
            ["id"],
            ondelete="SET NULL",
        )
        batch.create_index(op.f("ix_software_catalog_product_id"), ["product_id"])
    connection = op.get_bind()
    for tenant_id in connection.scalars(sa.select(TITLES.c.tenant_id).distinct()).all():
        _place_titles(connection, tenant_id)
        _count(connection, tenant_id)


def downgrade() -> None:
    with op.batch_alter_table("software_catalog") as batch:
        batch.drop_index(op.f("ix_software_catalog_product_id"))
        batch.drop_constraint(
            op.f("fk_software_catalog_product_id_software_products"), type_="foreignkey"
        )
        batch.drop_column("named_version")
        batch.drop_column("product_id")
    op.drop_table("software_products")


def _place_titles(connection: sa.Connection, tenant_id: int) -> None:
    title = TITLES.c
    found = sa.select(title.id, title.name, title.publisher).where(title.tenant_id == tenant_id)
    titles = [UnplacedTitle(*row) for row in connection.execute(found.order_by(title.id))]
    plan = plan_products(titles, {each.id: name_product(each.name) for each in titles}, ())
    ids = _add_products(connection, tenant_id, plan)
    placed = (
        sa.update(TITLES)
        .where(title.id == sa.bindparam("title"))
        .values(product_id=sa.bindparam("product"), named_version=sa.bindparam("version"))
    )
    values = [
        {"title": title_id, "product": ids[key], "version": plan.versions[title_id]}
        for title_id, key in plan.keys.items()
    ]
    for some in _in_batches(values):
        connection.execute(placed, list(some))


def _add_products(
    connection: sa.Connection, tenant_id: int, plan: Placing
) -> dict[ProductKey, int]:
    rows = [
        {"name": spelt[0], "name_key": key[0], "publisher": spelt[1], "publisher_key": key[1]}
        for key, spelt in plan.added.items()
    ]
    now = sa.func.current_timestamp()
    added = sa.insert(PRODUCTS).values(tenant_id=tenant_id, created_at=now)
    for some in _in_batches(rows):
        connection.execute(added, list(some))
    product = PRODUCTS.c
    stored = sa.select(product.name_key, product.publisher_key, product.id)
    rows_there = connection.execute(stored.where(product.tenant_id == tenant_id))
    return {(row[0], row[1]): row[2] for row in rows_there}


def _count(connection: sa.Connection, tenant_id: int) -> None:
    """Of each product: what is installed of it on assets that are listed."""
    title, row = TITLES.c, INSTALLS.c
    missing = sa.select(ASSETS.c.id).where(ASSETS.c.missing_since.is_not(None))
    these = (
        title.tenant_id == tenant_id,
        row.title_id == title.id,
        row.removed_at.is_(None),
        row.asset_id.not_in(missing),
    )
    assets = sa.select(title.product_id, sa.func.count(row.asset_id.distinct()))
    on = {
        each[0]: each[1]
        for each in connection.execute(assets.where(*these).group_by(title.product_id))
    }
    by = (title.product_id, row.version, title.named_version)
    versions: defaultdict[int, list[Version]] = defaultdict(list)
    counted = sa.select(*by, sa.func.count()).where(*these).group_by(*by)
    for product_id, version, named, installs in connection.execute(counted):
        versions[product_id].append(Version(version or named, installs))
    values = []
    for product_id, found in versions.items():
        summary = summarize_versions(found)
        values.append(
            {
                "product": product_id,
                "assets": on[product_id],
                "installs": sum(each.installs for each in found),
                "versions": summary.version_count,
                "newest": summary.newest,
                "older": summary.older_count,
            }
        )
    kept = (
        sa.update(PRODUCTS)
        .where(PRODUCTS.c.id == sa.bindparam("product"))
        .values(
            asset_count=sa.bindparam("assets"),
            install_count=sa.bindparam("installs"),
            version_count=sa.bindparam("versions"),
            newest_version=sa.bindparam("newest"),
            older_count=sa.bindparam("older"),
        )
    )
    for some in _in_batches(values):
        connection.execute(kept, list(some))


def _in_batches(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]

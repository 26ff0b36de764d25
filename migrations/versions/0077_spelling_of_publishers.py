"""All products of one publisher spell it one way."""

from __future__ import annotations

from collections import Counter, defaultdict

import sqlalchemy as sa
from alembic import op

from portal.sync.software.placing import choose_publisher

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

PRODUCTS = sa.table(
    "software_products",
    *(sa.column(name, sa.BigInteger) for name in ("id", "tenant_id")),
    *(sa.column(name, sa.String) for name in ("publisher", "publisher_key")),
)
TITLES = sa.table(
    "software_catalog",
    sa.column("product_id", sa.BigInteger),
    sa.column("publisher", sa.String),
)


def upgrade() -> None:
    connection = op.get_bind()
    product, title = PRODUCTS.c, TITLES.c
    by = (product.tenant_id, product.publisher_key, title.publisher)
    counted = (
        sa.select(*by, sa.func.count())
        .select_from(PRODUCTS.join(TITLES, title.product_id == product.id))
        .where(product.publisher_key != "", title.publisher != "")
        .group_by(*by)
    )
    spellings: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for tenant_id, key, publisher, titles in connection.execute(counted).all():
        spellings[tenant_id, key][publisher] = titles
    values = [
        {"of": tenant_id, "key": key, "spelling": choose_publisher(found)}
        for (tenant_id, key), found in spellings.items()
    ]
    if values:
        connection.execute(
            sa.update(PRODUCTS)
            .where(product.tenant_id == sa.bindparam("of"))
            .where(product.publisher_key == sa.bindparam("key"))
            .where(product.publisher != sa.bindparam("spelling"))
            .values(publisher=sa.bindparam("spelling")),
            values,
        )


def downgrade() -> None:
    """The spellings of before are not kept, and each was right."""

"""Titles of software: a product as installers name it, for exports and other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select

from portal.db import db
from portal.errors import NotFound
from portal.models import AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.services.software.counts import Counts
from portal.services.software.products import ProductFilter

TITLE_COLUMNS = ("name", "publisher", "asset_count", "version_count", "product")
ROWS_AT_ONCE = 1000


def describe_title(title_id: int) -> Any:
    """Its id, its product's, and TITLE_COLUMNS. Raises NotFound."""
    counts = Counts(SoftwareTitle, AssetSoftware.title_id == title_id)
    found = query_titles(counts).where(SoftwareTitle.id == title_id)
    row = db.session.execute(found).first()
    if row is None:
        raise NotFound("This software does not exist. Choose a title from the list of software.")
    return row


def query_titles(counts: Counts) -> Select[Any]:
    title, product = SoftwareTitle, SoftwareProduct.name.label("product")
    query = counts.select(title.id, title.product_id).add_columns(product)
    return query.outerjoin(SoftwareProduct, SoftwareProduct.id == title.product_id)


def export_titles(shown: ProductFilter) -> Iterator[dict[str, Any]]:
    """The titles of the products that the filter shows, by product."""
    counts, product = Counts(SoftwareTitle), SoftwareProduct
    conditions = counts.where(shown.search, with_gone=shown.with_gone, searched=product)
    found = db.session.execute(
        query_titles(counts)
        .where(*conditions)
        .order_by(product.name_key, product.id, SoftwareTitle.normalized_name, SoftwareTitle.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for row in found:
        yield {name: row._mapping[name] for name in TITLE_COLUMNS}

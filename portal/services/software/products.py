"""Software across the fleet, by product: found, counted, and how much of it is old."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from portal.db import db
from portal.errors import NotFound
from portal.models import AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.scope import allowed_clients
from portal.services.lists.paging import Page, paginate
from portal.services.software.counts import Counts
from portal.services.software.installs import list_titles_of
from portal.sync.software.placing import summarize_versions
from portal.sync.software.products import list_versions_of


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """`with_gone` shows also what no asset has any more. `sort` with a `-` is downwards."""

    search: str = ""
    with_gone: bool = False
    sort: str = "name"


@dataclass(frozen=True, slots=True)
class ProductRow:
    """Counts are of the assets that whoever asks may see, missing ones aside. `older_count`: of
    the installs, those that are older than the newest version."""

    id: int
    name: str
    publisher: str
    asset_count: int
    version_count: int
    install_count: int
    newest_version: str
    older_count: int


def list_products(shown: ProductFilter, page: int = 1) -> Page[ProductRow]:
    counts = Counts(SoftwareProduct)
    conditions = counts.where(shown.search, with_gone=shown.with_gone)
    total = None if counts.are_own else select(func.count(SoftwareProduct.id)).where(*conditions)
    query = query_products(counts).where(*conditions).order_by(*_order(shown.sort, counts))
    found: Page[Any] = paginate(query, total, page, lambda row: row)
    return Page(to_products(found.items), found.number, found.total)


def describe_product(product_id: int, titles: Iterable[int] | None = None) -> ProductRow:
    """Raises NotFound. `titles`: those that `list_titles_of` lists, where somebody knows them.

    For whoever is limited to some clients they are named: so PostgreSQL knows whether there are
    more installs of them than on their assets.
    """
    if titles is None:
        titles = [] if allowed_clients() is None else list_titles_of(product_id)
    is_its = AssetSoftware.title_id.in_(list(titles))
    found = query_products(Counts(SoftwareProduct, is_its)).where(SoftwareProduct.id == product_id)
    row = db.session.execute(found).first()
    if row is None:
        raise NotFound("This software does not exist. Choose a product from the list of software.")
    return to_products([row], is_its)[0]


def query_products(counts: Counts) -> Select[Any]:
    """The columns that `to_products` reads."""
    product = SoftwareProduct
    more = (product.install_count, product.newest_version, product.older_count)
    return counts.select(product.id).add_columns(*more)


def to_products(found: Sequence[Row[Any]], *conditions: ColumnElement[bool]) -> list[ProductRow]:
    """Of rows of `query_products`. For whoever is limited to some clients, what only the product
    tells is counted, of installs that meet the conditions: what is kept with it is of all."""
    rows = [ProductRow(*row[: len(fields(ProductRow))]) for row in found]
    return rows if allowed_clients() is None else _count_own(rows, *conditions)


def product_id_of(title_id: int) -> int | None:
    """Raises NotFound. None of a title that a run has just found."""
    found = select(SoftwareTitle.product_id).where(SoftwareTitle.id == title_id)
    row = db.session.execute(found).first()
    if row is None:
        raise NotFound("This software does not exist. Choose a product from the list of software.")
    product_id: int | None = row[0]
    return product_id


def any_products() -> bool:
    return db.session.scalar(select(SoftwareProduct.id).limit(1)) is not None


def _count_own(rows: Sequence[ProductRow], *conditions: ColumnElement[bool]) -> list[ProductRow]:
    versions = list_versions_of(db.session(), [row.id for row in rows], *conditions)
    found = []
    for row in rows:
        own = versions[row.id]
        summary = summarize_versions(own)
        counted = replace(
            row,
            install_count=sum(each.installs for each in own),
            newest_version=summary.newest,
            older_count=summary.older_count,
        )
        found.append(counted)
    return found


def _order(sort: str, counts: Counts) -> tuple[Any, ...]:
    """The name and id come last, so that pages neither repeat nor miss a row among equals."""
    product = SoftwareProduct
    sortable: dict[str, Any] = {
        "publisher": product.publisher,
        "assets": counts.assets,
        "versions": counts.versions,
    }
    if not counts.are_own:
        sortable |= {"installs": product.install_count, "older": product.older_count}
    column = sortable.get(sort.lstrip("-"), product.name_key)
    first = column.desc() if sort.startswith("-") else column.asc()
    return first, product.name_key, product.id

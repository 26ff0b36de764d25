"""The software of one client: what nobody else has, and what is behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from portal.client_guard import found_from
from portal.db import db
from portal.models import Asset, AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.scope import allowed_clients
from portal.services.lists.paging import Page, paginate
from portal.services.software.counts import Counts, product_id_of_title
from portal.sync.software.placing import Version, summarize_versions
from portal.sync.software.products import list_versions_of
from portal.versions import is_older, version_key

LOOKED_AT = 200
"""Products in several versions that are compared: those on most of the client's assets."""


@dataclass(frozen=True, slots=True)
class OwnProduct:
    """`asset_count`: assets of the client that have it."""

    id: int
    name: str
    publisher: str
    asset_count: int


@dataclass(frozen=True, slots=True)
class OldProduct:
    """`oldest` is the oldest version that the client has, `behind` how many of its installs are
    older than the newest version."""

    id: int
    name: str
    publisher: str
    newest: str
    oldest: str
    behind: int
    install_count: int


@dataclass(frozen=True, slots=True)
class OldProducts:
    """`is_all`: no other product was there to be compared."""

    products: list[OldProduct]
    is_all: bool


def list_own_products(client_id: int, page: int = 1) -> Page[OwnProduct]:
    """What assets of the client have, and none of any other client, the most frequent first."""
    counts, product = Counts(SoftwareProduct), SoftwareProduct
    own = _count_of(client_id)
    query = (
        counts.select(product.id)
        .add_columns(own.c.assets)
        .join(own, own.c.product_id == product.id)
        .where(counts.assets <= own.c.assets)
        .order_by(own.c.assets.desc(), product.name_key, product.id)
    )
    return paginate(
        query, None, page, lambda row: OwnProduct(row.id, row.name, row.publisher, row.assets)
    )


def list_old_products(client_id: int) -> OldProducts:
    """Products of which assets of the client have a version that is behind the newest one that is
    installed anywhere; what most installs are behind with comes first."""
    own, product = _count_of(client_id), SoftwareProduct
    products = db.session.execute(
        select(product.id, product.name, product.publisher, product.newest_version)
        .join(own, own.c.product_id == product.id)
        .where(product.version_count > 1)
        .order_by(own.c.assets.desc(), product.id)
        .limit(LOOKED_AT + 1)
        .execution_options(**found_from(AssetSoftware))
    ).all()
    is_all, products = len(products) <= LOOKED_AT, products[:LOOKED_AT]
    ids = [row.id for row in products]
    here = list_versions_of(db.session(), ids, AssetSoftware.asset_id.in_(_assets_of(client_id)))
    newest = _find_newest(products)
    found = [_compare(row, newest.get(row.id, ""), here[row.id]) for row in products]
    old = [each for each in found if each is not None]
    old.sort(key=lambda each: (-each.behind, each.name.casefold(), each.id))
    return OldProducts(old, is_all)


def _compare(row: Any, newest: str, here: Sequence[Version]) -> OldProduct | None:
    """None where the client has the newest, or nobody can tell."""
    older = [each for each in here if newest and is_older(each.text, newest)]
    if not older:
        return None
    oldest = min((each.text for each in older), key=version_key)
    behind, installs = (sum(each.installs for each in some) for some in (older, here))
    return OldProduct(row.id, row.name, row.publisher, newest, oldest, behind, installs)


def _find_newest(products: Sequence[Any]) -> Mapping[int, str]:
    """Of those that whoever asks may see: what is kept with a product is of the whole fleet."""
    if allowed_clients() is None:
        return {row.id: row.newest_version for row in products}
    versions = list_versions_of(db.session(), [row.id for row in products])
    return {each: summarize_versions(found).newest for each, found in versions.items()}


def _count_of(client_id: int) -> Any:
    """By product: on how many assets of the client it is installed."""
    title, row = SoftwareTitle, AssetSoftware
    product_id = product_id_of_title()
    return (
        select(product_id.label("product_id"), func.count(row.asset_id.distinct()).label("assets"))
        .join(title, title.id == row.title_id)
        .where(row.asset_id.in_(_assets_of(client_id)), row.removed_at.is_(None))
        .group_by(product_id)
        .subquery()
    )


def _assets_of(client_id: int) -> Select[int]:
    return select(Asset.id).where(Asset.client_id == client_id, Asset.missing_since.is_(None))

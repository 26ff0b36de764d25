"""Products: which one each title is of, and what is installed of each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.client_guard import found_from
from portal.clock import utc_now
from portal.db import insert, is_among
from portal.models import Asset, AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.product_names import name_product
from portal.scope import allowed_clients, get_tenant_id
from portal.sync.software.placing import (
    KnownProduct,
    ProductKey,
    UnplacedTitle,
    Version,
    choose_publisher,
    plan_products,
    summarize_versions,
)

ROWS_AT_ONCE = 5000
"""In one statement: titles or products, for each of which there may be some versions."""
_TITLES, _PRODUCTS = (cast(Table, each.__table__) for each in (SoftwareTitle, SoftwareProduct))


def place_titles(session: Session) -> set[int]:
    """Give each title that has none its product, and spell the publishers of these one way each.
    Returns the ids of the titles."""
    found = select(SoftwareTitle.id, SoftwareTitle.name, SoftwareTitle.publisher)
    lacking = found.where(SoftwareTitle.product_id.is_(None)).order_by(SoftwareTitle.id)
    titles = [UnplacedTitle(*row) for row in session.execute(lacking)]
    for some in chunked(titles, ROWS_AT_ONCE):
        _spell_publishers(session, {publisher for _, publisher in _place(session, some)} - {""})
    return {each.id for each in titles}


def refresh_products(session: Session, title_ids: Iterable[int]) -> set[int]:
    """Count anew what is installed of the products of these titles, and name these."""
    ids: set[int] = set()
    for some in chunked(sorted(title_ids), ROWS_AT_ONCE):
        of_titles = select(SoftwareTitle.product_id).where(is_among(SoftwareTitle.id, some))
        ids.update(each for each in session.scalars(of_titles.distinct()) if each is not None)
    for some in chunked(sorted(ids), ROWS_AT_ONCE):
        _lock(session, some)
        _count(session, some)
    return ids


def installed_version() -> ColumnElement[str]:
    """Of an install: what its agent reports, or else what the title says. Needs the title."""
    reported = func.nullif(AssetSoftware.version, "")
    return func.coalesce(reported, SoftwareTitle.named_version)


def is_present() -> tuple[ColumnElement[bool], ...]:
    """Installed now, on an asset that Tactical lists."""
    missing = select(Asset.id).where(Asset.missing_since.is_not(None))
    return AssetSoftware.removed_at.is_(None), AssetSoftware.asset_id.not_in(missing)


def list_versions_of(
    session: Session, product_ids: Collection[int], *conditions: ColumnElement[bool]
) -> Mapping[int, list[Version]]:
    """What is installed of each product, of installs that meet the conditions; of one of which
    nothing is, an empty list."""
    title, row = SoftwareTitle, AssetSoftware
    by = (title.product_id, row.version, title.named_version)
    is_wanted = is_among(title.product_id, sorted(product_ids))
    if allowed_clients() is not None:  # the way goes from their assets, which are few
        titles = select(title.id).where(is_wanted).correlate(None)
        is_wanted = (row.title_id + 0).in_(titles)
    counted = session.execute(
        select(*by, func.count())
        .join(title, title.id == row.title_id)
        .where(is_wanted, *is_present(), *conditions)
        .group_by(*by)
        .execution_options(**found_from(AssetSoftware))
    )
    found: defaultdict[int, list[Version]] = defaultdict(list)
    for product_id, version, named, installs in counted:
        assert product_id is not None  # it is one of those that were asked for
        found[product_id].append(Version(version or named, installs))
    return found


def _place(session: Session, titles: Sequence[UnplacedTitle]) -> set[ProductKey]:
    """Returns the keys of the products."""
    names = {each.id: name_product(each.name) for each in titles}
    keys = {each.key for each in names.values()}
    plan = plan_products(titles, names, _find_products(session, keys))
    for product_id, (publisher, key) in plan.named.items():
        session.execute(
            update(SoftwareProduct)
            .where(SoftwareProduct.id == product_id)
            .values(publisher=publisher, publisher_key=key)
            .execution_options(synchronize_session=False)
        )
    if plan.added:
        rows = [_product_row(key, *plan.added[key]) for key in sorted(plan.added)]
        session.execute(insert(SoftwareProduct).on_conflict_do_nothing(), rows)
    ids = {each.key: each.id for each in _find_products(session, keys)}
    table = _TITLES.c
    session.connection().execute(
        update(_TITLES)
        .where(table.id == bindparam("title"), table.tenant_id == get_tenant_id())
        .values(product_id=bindparam("product"), named_version=bindparam("version")),
        [
            {"title": title_id, "product": ids[key], "version": plan.versions[title_id]}
            for title_id, key in plan.keys.items()
        ],
    )
    return set(plan.keys.values())


def _spell_publishers(session: Session, publisher_keys: Collection[str]) -> None:
    """All products of a publisher have the spelling that most titles of its products have."""
    product, title = SoftwareProduct, SoftwareTitle
    counted = session.execute(
        select(product.publisher_key, title.publisher, func.count())
        .join(title, title.product_id == product.id)
        .where(is_among(product.publisher_key, sorted(publisher_keys)), title.publisher != "")
        .group_by(product.publisher_key, title.publisher)
    )
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, publisher, titles in counted:
        spellings[key][publisher] = titles
    chosen = {key: choose_publisher(found) for key, found in spellings.items()}
    stored = session.execute(
        select(product.id, product.publisher_key, product.publisher)
        .where(is_among(product.publisher_key, sorted(chosen)))
        .order_by(product.id)
    )
    wrong = [(id_, chosen[key]) for id_, key, publisher in stored if publisher != chosen[key]]
    for some in chunked(wrong, ROWS_AT_ONCE):
        _lock(session, [id_ for id_, _ in some])
        session.connection().execute(
            update(_PRODUCTS)
            .where(_PRODUCTS.c.id == bindparam("product"))
            .where(_PRODUCTS.c.tenant_id == get_tenant_id())
            .values(publisher=bindparam("spelling")),
            [{"product": id_, "spelling": spelling} for id_, spelling in some],
        )


def _find_products(session: Session, names: Iterable[str]) -> list[KnownProduct]:
    found: list[KnownProduct] = []
    for some in chunked(sorted(names), ROWS_AT_ONCE):
        product = SoftwareProduct
        rows = session.execute(
            select(product.id, product.name_key, product.publisher_key).where(
                is_among(product.name_key, some)
            )
        )
        found += [KnownProduct(row[0], (row[1], row[2])) for row in rows]
    return found


def _product_row(key: ProductKey, name: str, publisher: str) -> dict[str, Any]:
    return {
        "tenant_id": get_tenant_id(),
        "name": name,
        "name_key": key[0],
        "publisher": publisher,
        "publisher_key": key[1],
        "created_at": utc_now(),
    }


def _lock(session: Session, product_ids: Sequence[int]) -> None:
    """In order, so that two processes do not wait for each other's."""
    product = SoftwareProduct
    found = select(product.id).where(is_among(product.id, product_ids)).order_by(product.id)
    session.execute(found.with_for_update(key_share=True))


def _count(session: Session, product_ids: Sequence[int]) -> None:
    title, row = SoftwareTitle, AssetSoftware
    these = (row.title_id == title.id, is_among(title.product_id, product_ids), *is_present())
    of_assets = select(title.product_id, func.count(row.asset_id.distinct()))
    counted = session.execute(of_assets.where(*these).group_by(title.product_id))
    assets: dict[int | None, int] = {each[0]: each[1] for each in counted}
    _write_counts(session, product_ids, assets, list_versions_of(session, product_ids))


def _write_counts(
    session: Session,
    product_ids: Sequence[int],
    assets: Mapping[int | None, int],
    versions: Mapping[int, Sequence[Version]],
) -> None:
    values = []
    for each in product_ids:
        found = versions.get(each, ())
        summary = summarize_versions(found)
        values.append(
            {
                "product": each,
                "assets": assets.get(each, 0),
                "installs": sum(version.installs for version in found),
                "versions": summary.version_count,
                "newest": summary.newest,
                "older": summary.older_count,
            }
        )
    table = _PRODUCTS.c
    session.connection().execute(
        update(_PRODUCTS)
        .where(table.id == bindparam("product"), table.tenant_id == get_tenant_id())
        .values(
            asset_count=bindparam("assets"),
            install_count=bindparam("installs"),
            version_count=bindparam("versions"),
            newest_version=bindparam("newest"),
            older_count=bindparam("older"),
        ),
        values,
    )

"""How much is installed of titles and of products."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    case,
    cast,
    false,
    func,
    select,
    true,
)

from portal.client_guard import found_from
from portal.models import Asset, AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.scope import allowed_clients
from portal.services.lists.search import any_contains, split_words
from portal.sync.software.products import installed_version

TitleOrProduct: TypeAlias = type[SoftwareTitle] | type[SoftwareProduct]


class Counts:
    """Of assets and of versions, in SQL: those that are kept with a title or a product, which are
    of the whole fleet; for whoever is limited to some clients, those of their assets."""

    def __init__(self, of: TitleOrProduct, *only: ColumnElement[bool]) -> None:
        """`only`: of installs that meet these conditions, if nothing else is asked for."""
        self._of = of
        self._own = None if allowed_clients() is None else _count_own(of, *only)
        self.are_own = self._own is not None
        self.assets: SQLColumnExpression[int] = of.asset_count
        self.versions: SQLColumnExpression[int] = of.version_count
        if self._own is not None:
            self.assets, self.versions = self._own.c.assets, self._own.c.versions

    def select(self, *columns: Any) -> Select[Any]:
        """`columns`, the name, the publisher and the two counts. Whoever is limited has what their
        assets have, or had: so it is found with the counts."""
        of, own = self._of, self._own
        counts: tuple[Any, ...] = (
            self.assets.label("asset_count"),
            self.versions.label("version_count"),
        )
        query: Select[Any] = select(*columns, of.name, of.publisher, *counts)
        if own is None:
            return query
        return query.join(own, own.c.id == of.id).execution_options(**found_from(AssetSoftware))

    def where(
        self, search: str, *, with_gone: bool, searched: TitleOrProduct | None = None
    ) -> list[ColumnElement[bool]]:
        """That the name or the publisher has every word; and that it is installed, unless
        `with_gone`."""
        of = searched or self._of
        found = [any_contains((of.name, of.publisher), word) for word in split_words(search)]
        if self.are_own:  # so that PostgreSQL expects many rows, and joins their counts at once
            found = [case((each, true()), else_=false()) for each in found]
        return found if with_gone else [*found, self.assets > 0]


def product_id_of_title() -> ColumnElement[int]:
    """To group by. Of the column itself SQLite takes the index, and with it all titles there are,
    to spare itself the sorting of a few."""
    return cast(func.coalesce(SoftwareTitle.product_id, 0), BigInteger)


def _count_own(of: TitleOrProduct, *only: ColumnElement[bool]) -> CTE:
    """With what is not installed any more, of which there are none. Counted once: PostgreSQL would
    do it anew for each row, of which it expects a few."""
    id_ = AssetSoftware.title_id if of is SoftwareTitle else product_id_of_title()
    # Of the column itself SQLite would look for each of their titles on each of their assets.
    of_install = AssetSoftware.title_id if only else AssetSoftware.title_id + 0
    is_here = and_(AssetSoftware.removed_at.is_(None), Asset.missing_since.is_(None))
    return (
        select(
            id_.label("id"),
            func.count(case((is_here, AssetSoftware.asset_id)).distinct()).label("assets"),
            func.count(case((is_here, installed_version())).distinct()).label("versions"),
        )
        .join(Asset, Asset.id == AssetSoftware.asset_id)
        .join(SoftwareTitle, SoftwareTitle.id == of_install)
        .where(*only)
        .group_by(id_)
        .cte("own_counts")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )

"""What of the software somebody sees who is limited to some clients: rows and numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound
from portal.models import AssetSoftware, Client, SoftwareProduct, SoftwareTitle, Tenant
from portal.scope import all_tenants, beyond_clients, limited_to, tenant_scope
from portal.services.software.counts import Counts
from portal.services.software.installs import (
    InstallFilter,
    VersionCount,
    list_installs,
    list_titles_of,
)
from portal.services.software.of_client import list_old_products, list_own_products
from portal.services.software.products import (
    ProductFilter,
    ProductRow,
    describe_product,
    list_products,
)
from portal.services.software.titles import describe_title, query_titles
from portal.sync.software.products import place_titles
from portal.sync.software.store import refresh_counts
from tests.tenant_guard.world import OURS, make_integration
from tests.web.world import make_asset

ONE, TWO, OTHER = 11, 12, 13
AWAY = 14
"""An asset of the first client that Tactical does not list; the others have their client's id."""
INSTALLS = {
    "Common": {ONE: "1.0", TWO: "2.0", AWAY: "3.0", OTHER: "9.0"},
    "Zed 8.5": {ONE: "", TWO: "8.6"},
    "Zed": {ONE: "9.0", AWAY: "9.9"},
    "Pair 1.1": {ONE: "1"},
    "Pair 2.2": {OTHER: "2"},
    "Twice": {ONE: "5", OTHER: "6"},
    "Missing": {AWAY: "1"},
    "Theirs": {OTHER: "1"},
}
REMOVED = {"Gone": {TWO: "1"}, "Gone There": {OTHER: "1"}, "Twice": {TWO: "4"}}

Numbers = tuple[int, int, int, str, int]
HERE: dict[str, Numbers] = {
    "Common": (2, 2, 2, "2.0", 1),
    "Pair": (1, 1, 1, "1", 0),
    "Twice": (1, 1, 1, "5", 0),
    "Zed": (2, 3, 3, "9.0", 2),
}
"""Assets, versions, installs, the newest version, and how many are older."""
NONE: Numbers = (0, 0, 0, "", 0)


@pytest.fixture(autouse=True)
def installed(app: Flask) -> Iterator[None]:
    """In three clients; the test sees two of them."""
    with app.app_context():
        with all_tenants(), transaction() as session:
            session.add(Tenant(id=OURS, slug="ours", name="ours"))
            session.flush()
            session.add(make_integration(OURS))
        with tenant_scope(OURS):
            with transaction() as session:
                session.add_all(Client(id=i, name=f"client {i}") for i in (ONE, TWO, OTHER))
                session.flush()
                session.add_all(make_asset(OURS, i, f"pc {i}", id=i) for i in (ONE, TWO, OTHER))
                session.add(make_asset(OURS, ONE, "pc away", id=AWAY, missing_since=utc_now()))
                session.flush()
                add_software(session)
            with limited_to([ONE, TWO]):
                yield
        db.session.remove()


def add_software(session: Session) -> None:
    names = sorted({*INSTALLS, *REMOVED})
    titles = {name: SoftwareTitle(name=name, normalized_name=name.casefold()) for name in names}
    session.add_all(titles.values())
    session.flush()
    for lists, removed_at in ((INSTALLS, None), (REMOVED, utc_now())):
        for name, versions in lists.items():
            for asset_id, version in versions.items():
                install = AssetSoftware(asset_id=asset_id, title_id=titles[name].id)
                install.version, install.removed_at = version, removed_at
                install.first_seen_at = utc_now()
                session.add(install)
    session.flush()
    refresh_counts(session, place_titles(session))


def id_of(name: str) -> int:
    with beyond_clients():
        found = select(SoftwareProduct.id).where(SoftwareProduct.name == name)
        return db.session.scalars(found).one()


def numbers(row: ProductRow) -> Numbers:
    counts = row.asset_count, row.version_count, row.install_count
    return (*counts, row.newest_version, row.older_count)


def test_products_are_counted_on_their_assets_alone() -> None:
    found = list_products(ProductFilter())
    assert {row.name: numbers(row) for row in found.items} == HERE
    assert [row.name for row in found.items] == sorted(HERE)
    assert found.total == len(HERE)
    assert found.items == [describe_product(row.id) for row in found.items]
    assert [row.name for row in list_products(ProductFilter("r PA"), 2).items] == ["Pair"]

    everything = list_products(ProductFilter(with_gone=True, sort="-assets"))
    gone = dict.fromkeys(("Gone", "Missing"), NONE)
    assert {row.name: numbers(row) for row in everything.items} == HERE | gone
    assert everything.total == len(HERE) + len(gone)
    assert numbers(describe_product(id_of("Gone"))) == NONE
    for name in ("Theirs", "Gone There"):
        with pytest.raises(NotFound):
            describe_product(id_of(name))


def test_so_are_titles_and_those_of_others_are_not_there() -> None:
    found = db.session.execute(query_titles(Counts(SoftwareTitle))).all()
    assert {row.name: (row.asset_count, row.version_count, row.product) for row in found} == {
        "Common": (2, 2, "Common"),
        "Gone": (0, 0, "Gone"),
        "Missing": (0, 0, "Missing"),
        "Pair 1.1": (1, 1, "Pair"),
        "Twice": (1, 1, "Twice"),
        "Zed": (1, 1, "Zed"),
        "Zed 8.5": (2, 2, "Zed"),
    }
    assert sorted(found) == sorted(describe_title(row.id) for row in found)
    pair = list_titles_of(id_of("Pair"))
    assert list(pair.values()) == ["1.1"]
    shown = list_installs(InstallFilter(pair), [VersionCount("1", 1)])
    assert [(each.asset_id, each.title.name) for each in shown.items] == [(ONE, "Pair 1.1")]


def test_of_a_client_what_is_behind_and_its_own_is_found_among_what_they_see() -> None:
    old = list_old_products(ONE).products
    assert [
        (each.name, each.oldest, each.newest, each.behind, each.install_count) for each in old
    ] == [
        ("Common", "1.0", "2.0", 1, 1),
        ("Zed", "8.5", "9.0", 1, 2),
    ]
    own = list_own_products(ONE)
    assert [(each.name, each.asset_count) for each in own.items] == [("Pair", 1), ("Twice", 1)]
    assert own.total == 2
    assert list_own_products(TWO).items == []
    assert list_old_products(OTHER).products == []

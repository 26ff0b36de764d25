"""Which product each title is of, and what is installed of it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.db import db, transaction
from portal.models import SoftwareProduct, SoftwareTitle
from portal.product_names import name_product
from portal.sync.software.placing import KnownProduct, UnplacedTitle, plan_products
from tests.support.msp import Msp
from tests.sync.software import entry, ingest, reporting

Counts = tuple[int, int, int, str, int]


def products() -> dict[tuple[str, str], Counts]:
    """By name and publisher: assets, installs, versions, the newest, and how many are older."""
    names = ("asset_count", "install_count", "version_count", "newest_version", "older_count")
    found = db.session.scalars(select(SoftwareProduct)).all()
    db.session.rollback()
    return {(p.name, p.publisher): tuple(getattr(p, name) for name in names) for p in found}


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("known", "placed"),
    [
        ([], "acme"),
        ([("agent", "other")], ""),
        ([("agent", "")], "acme"),
        ([("agent", "other"), ("agent", "")], ""),
    ],
)
def test_a_publisher_that_nobody_tells_is_the_only_one_there_is(
    known: list[tuple[str, str]], placed: str
) -> None:
    titles = [UnplacedTitle(1, "Agent 1.0", ""), UnplacedTitle(2, "Agent", "Acme Ltd")]
    names = {each.id: name_product(each.name) for each in titles}
    plan = plan_products(titles, names, [KnownProduct(n, key) for n, key in enumerate(known, 7)])

    assert plan.keys == {1: ("agent", placed), 2: ("agent", "acme")}
    assert plan.named == ({7: ("Acme Ltd", "acme")} if known == [("agent", "")] else {})
    assert plan.versions == {1: "1.0", 2: ""}


@pytest.mark.fleet(agents=12, titles=4, windows=100, linux=0)
def test_titles_are_counted_as_their_product_by_the_run_that_finds_them(msp: Msp) -> None:
    msp.import_fleet()
    one, two, *others = reporting(msp)
    for agent_id in others:
        msp.tactical.control.software.set(agent_id, [entry("Other")])
    seven = entry("7-Zip 23.01 (x64)", "23.01", publisher="Igor Pavlov")
    msp.tactical.control.software.set(one, [seven, entry("7-Zip 9.20", "")])
    msp.tactical.control.software.set(two, [entry("7-Zip 24.07", "24.07.00.0")])
    with msp.scope():
        ingest(msp)
        assert products()["7-Zip", "Igor Pavlov"] == (2, 3, 3, "24.07.00.0", 2)

        # Without its newest version, and with a title of which none was placed.
        msp.tactical.control.software.set(two, [entry("7-Zip 22.01 (x64)", "22.01")])
        with transaction() as session:
            session.query(SoftwareTitle).update({"product_id": None})
        ingest(msp)
        assert products()["7-Zip", "Igor Pavlov"] == (2, 3, 3, "23.01", 2)
        msp.tactical.control.agents.remove(agent_id=two)
        msp.sync()
        assert products()["7-Zip", "Igor Pavlov"] == (1, 2, 2, "23.01", 1)
        assert not db.session.scalar(
            select(SoftwareTitle.id).where(SoftwareTitle.product_id.is_(None))
        )
        db.session.rollback()


@pytest.mark.one_database
@pytest.mark.fleet(agents=3, titles=4, windows=100, linux=0)
def test_a_publisher_is_spelled_one_way_over_all_its_products(msp: Msp) -> None:
    """As most titles have it, of equally many the shortest; also where it was another way."""
    msp.import_fleet()
    [one, *_] = reporting(msp)
    lone, most = "MICROSOFT CORP.", "Microsoft Corporation"
    listed = [entry("Edge", publisher="Microsoft"), entry("Teams", publisher=lone)]

    def spelled(*more: dict[str, str]) -> set[tuple[str, str]]:
        listed.extend(more)
        msp.tactical.control.software.set(one, listed)
        ingest(msp)
        return {each for each in products() if each[0] in {"Edge", "Teams", "Word", "Reader"}}

    with msp.scope():
        assert spelled() == {("Edge", "Microsoft"), ("Teams", "Microsoft")}
        words = (entry(f"Word {version}", publisher=most) for version in ("16.1", "16.2"))
        assert spelled(*words, entry("Reader", publisher="Adobe Inc.")) == {
            ("Edge", most),
            ("Teams", most),
            ("Word", most),
            ("Reader", "Adobe Inc."),
        }

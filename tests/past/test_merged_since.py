"""Whoever is limited to some clients, and assets that moved and were merged since the day."""

from __future__ import annotations

import csv
import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import day_of, utc_now
from portal.db import db, transaction
from portal.models import Asset, Client, SoftwareProduct
from portal.scope import tenant_scope
from portal.services.assets.merge import merge_assets
from portal.sync.software.products import place_titles
from tests.past.test_pages import install_at, tell
from tests.web.conftest import acme
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_asset, sign_in

__all__ = ["acme"]

MADE, MOVED = (utc_now() - timedelta(days=days) for days in (40, 5))
THEN = day_of(utc_now() - timedelta(days=10))
THEIRS = ["acme-lost", "acme-pc", "acme-twin"]
"""On that day. Today the twin is part of `acme-pc`, and `acme-lost` of one of the other client."""


TOOLS = {"acme-twin": "Level", "acme-lost": "Saw", "zebra-pc": "Drill", "zebra-keep": "Plane"}
"""What each asset alone had."""


@pytest.fixture
def products(app: Flask, acme: Place) -> dict[str, int]:
    """Their numbers, by name. Since that day `acme-lost` went to the other client and into
    `zebra-keep`; `zebra-pc` came from there and went into `acme-pc`, and so did `acme-twin`."""
    with app.app_context(), tenant_scope(acme.id):
        with transaction() as session:
            other = Client(name="Zebra Client", created_at=MADE)
            session.add(other)
            session.flush()
            pc = session.get_one(Asset, acme.asset)
            session.get_one(Client, acme.client).created_at = pc.created_at = MADE
            session.add(tell(pc, MADE, "created"))
            connection, ids = pc.integration_id, {"acme-pc": pc.id}
            for name, was, now in (
                ("acme-twin", acme.client, acme.client),
                ("acme-lost", acme.client, other.id),
                ("zebra-pc", other.id, acme.client),
                ("zebra-keep", other.id, other.id),
            ):
                session.add(asset := make_asset(connection, now, name, created_at=MADE))
                session.flush()
                if was != now:
                    session.add(tell(asset, MOVED, "moved", "client_id", was, now))
                install_at(session, asset, TOOLS[name], "1", MADE, None)
                ids[name] = asset.id
            place_titles(session)
        for keep, gone in (
            ("acme-pc", "acme-twin"),
            ("acme-pc", "zebra-pc"),
            ("zebra-keep", "acme-lost"),
        ):
            merge_assets(ids[keep], ids[gone])
        rows = db.session.execute(select(SoftwareProduct.name, SoftwareProduct.id))
        return {row[0]: row[1] for row in rows}


def test_the_way_back_to_today_leads_to_what_is_there(
    app: Flask, http: FlaskClient, acme: Place, products: dict[str, int]
) -> None:
    """Today only others have the saw."""
    sign_in(app, http, limited_user(app, acme, acme.client))
    for product_id, day, way in (
        (products["Saw"], THEN, "software/"),
        (acme.product, day_of(utc_now()), f"software/products/{acme.product}"),
    ):
        page = http.get(acme.url(f"software/products/{product_id}?as_of={day}")).text
        [back] = re.findall(r'<a href="([^"]*)">Back to today</a>', page)
        assert back == acme.url(way)
        assert ("No asset of your clients has it today." in page) == (way == "software/")
        assert http.get(back).status_code == 200


def test_each_stands_once_where_it_was(
    app: Flask, http: FlaskClient, acme: Place, products: dict[str, int]
) -> None:
    sign_in(app, http, limited_user(app, acme, acme.client))

    def ask(path: str) -> str:
        answer = http.get(acme.url(f"{path}{'&' if '?' in path else '?'}as_of={THEN}"))
        assert "zebra" not in answer.text.casefold(), path
        return html.unescape(answer.text)

    for path in ("assets/", f"assets/?client_id={acme.client}", "assets/?q=acme&sort=-client"):
        listed = ask(path)
        assert re.findall(r'count-number">(\d+)<', listed)[:3] == ["3", "3", "0"]
        table = listed.partition("<tbody")[2].partition("</tbody>")[0]
        assert sorted(re.findall(r"\b(acme-[a-z]+)\b", re.sub(r"<[^>]*>", " ", table))) == THEIRS
    rows = [*csv.DictReader(ask("assets/export.csv").splitlines())]
    assert sorted(row["name"] for row in rows) == THEIRS
    assert {row["client"] for row in rows} == {"Acme Client"}
    clients = ask("clients/").partition("<tbody>")[2].partition("</tbody>")[0]
    assert re.sub(r"<[^>]*>|\s+", " ", clients).split()[:3] == ["Acme", "Client", "3"]

    software = ask("software/")
    for name in ("acme-twin", "acme-lost"):
        found = re.findall(rf'>{TOOLS[name]}</a>.*?"num line-mark">(\d+)<', software, re.S)
        assert found == ["1"], name
        page = ask(f"software/products/{products[TOOLS[name]]}")
        assert page.partition("<tbody")[2].partition("</tbody>")[0].count("<tr") == 1
        assert name in page
    for name in ("zebra-pc", "zebra-keep"):
        assert TOOLS[name] not in software
        assert "acme-" not in ask(f"software/products/{products[TOOLS[name]]}")
    rows = [*csv.DictReader(ask("software/export.csv").splitlines())]
    assert sorted(row["asset"] for row in rows) == ["acme-lost", "acme-twin"]

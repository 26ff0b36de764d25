"""The lists of the API filter as their pages do: each field of a filter has its argument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from flask import Flask

import portal.services
from portal.api.document import get_document
from portal.clock import day_of
from portal.db import db, transaction
from portal.models import Alert, AlertHandling, Asset, AssetChange, Membership
from portal.models.assets.change import ChangeAction
from portal.services.alerts.filters import AlertFilter
from portal.services.api.paging import Items
from portal.services.assets.listing import AssetFilter
from portal.services.audit.listing import AuditFilter
from portal.services.conflicts.listing import ConflictFilter
from portal.services.deliveries.history import DeliveryFilter
from portal.services.notices.listing import NoticeFilter
from portal.services.organizations.listing import OrganizationFilter
from portal.services.software.installs import InstallFilter
from portal.services.software.products import ProductFilter
from portal.services.tickets.filters import TicketFilter
from tests.api.conftest import PREFIX, Reader, in_tenant
from tests.web.world import Place, make_user

pytestmark = pytest.mark.one_database


@dataclass(frozen=True, slots=True)
class Filtered:
    """A list, what reads it in `portal.services.api`, and fields that no argument sets."""

    kind: type[Any]
    reads: str
    left_out: frozenset[str] = frozenset()


ORDER = frozenset({"sort"})
"""A list of the API has one order, by which it is read part by part."""
LISTS = {
    "/assets": Filtered(AssetFilter, "assets.list_assets", ORDER),
    "/alerts": Filtered(AlertFilter, "lists.list_alerts", ORDER),
    "/tickets": Filtered(TicketFilter, "lists.list_tickets"),
    "/audit": Filtered(AuditFilter, "lists.list_audit"),
    "/products": Filtered(ProductFilter, "lists.list_products", ORDER),
    # A page is of one product, and finds its titles; the list takes the id of either.
    "/installs": Filtered(InstallFilter, "assets.list_installs", frozenset({"titles"})),
}
WORDS = {"/organizations": OrganizationFilter, "/notices": NoticeFilter}
"""Of these, one argument takes the words of the filter."""
NO_LIST = {ConflictFilter, DeliveryFilter}
"""What waits for a person in the portal; the API has neither."""
TOGETHER = {"older_than": {"product_id": 1}}
"""What an argument is of use with alone."""


def filters() -> Iterator[type[Any]]:
    for module in walk_packages(portal.services.__path__, "portal.services."):
        for name, found in vars(import_module(module.name)).items():
            if name.endswith("Filter") and found.__module__ == module.name:
                yield found


def test_every_filter_is_known() -> None:
    known = {each.kind for each in LISTS.values()} | set(WORDS.values()) | NO_LIST
    assert set(filters()) == known


@pytest.mark.parametrize("path", LISTS)
def test_every_field_has_its_argument(
    app: Flask, reader: Reader, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    seen: list[Any] = []

    def read(shown: Any, *_rest: Any) -> Items:
        seen.append(shown)
        return Items([], None)

    its = LISTS[path]
    monkeypatch.setattr(f"portal.services.api.{its.reads}", read)
    for name, schema in arguments_of(app, path):
        for value in values_of(schema):
            reader.read(path, query_string={name: value} | TOGETHER.get(name, {}))
    names = {each.name for each in fields(its.kind)}
    told = {
        each.name
        for shown in seen
        for each in fields(shown)
        if getattr(shown, each.name) != each.default
    }
    assert names & told == names - its.left_out


@pytest.mark.parametrize("path", WORDS)
def test_every_word_is_taken(app: Flask, path: str) -> None:
    words: Iterable[str] = WORDS[path]
    taken = dict(arguments_of(app, path))["show"]["enum"]
    assert set(taken) == {str(word) for word in words if word}


def arguments_of(app: Flask, path: str) -> list[tuple[str, dict[str, Any]]]:
    with app.app_context():
        described = get_document()["paths"][PREFIX + path]["get"]["parameters"]
    lists = ("limit", "cursor")
    return [(each["name"], each["schema"]) for each in described if each["name"] not in lists]


def values_of(schema: dict[str, Any]) -> list[str]:
    if "enum" in schema:
        return list(schema["enum"])
    formats = {"date": "2026-10-31", "date-time": "2026-10-31T12:00:00Z"}
    return [formats.get(schema.get("format", ""), "1")]


def test_what_the_pages_narrow_by_narrows_here_too(app: Flask, reader: Reader, acme: Place) -> None:
    """Each as what holds of the one record, and as what does not."""
    anna = make_user(app, "anna@acme.example", acme)
    with in_tenant(app, acme), transaction() as session:
        asset, alert = session.get_one(Asset, acme.asset), session.get_one(Alert, acme.alert)
        asset.needs_reboot, asset.os_version, asset.agent_version = True, "Ubuntu 22.04", "2.7.0"
        place = session.query(Membership).filter_by(user_id=anna).one()
        handling = AlertHandling(alert_id=alert.id, occurrence=alert.occurrences)
        handling.assigned_to, handling.began_at = place.id, alert.triggered_at
        handling.over_at = alert.triggered_at
        change = AssetChange(asset_id=asset.id, action=ChangeAction.CREATED, cause="command")
        session.add_all((handling, change))
        day = day_of(alert.triggered_at)
    for path, holds, does_not in (
        ("/assets", {"reboot": "due"}, {"elsewhere": "yes"}),
        ("/assets", {"system": "Ubuntu"}, {"system": "22.04"}),
        ("/assets", {"agent": "2.7.0"}, {"agent": "2.7"}),
        ("/assets", {"behind": "2.10.0"}, {"behind": "2.7.0"}),
        ("/alerts", {"raised": str(day)}, {"raised": "2001-01-01"}),
        ("/alerts", {"resolved": str(day)}, {"resolved": "0001-01-01"}),
        ("/alerts", {"assigned_to": "Anna@acme.example"}, {"assigned_to": "tom@acme.example"}),
        ("/history", {"client_id": acme.client}, {"client_id": acme.client + 1}),
        ("/installs", {"client_id": acme.client}, {"show": "missing"}),
        (f"/runs/{acme.run}/records", {"q": "not listed"}, {"q": "nothing of it"}),
    ):
        assert len(reader.items(path, **holds)) == 1, holds
        assert reader.items(path, **does_not) == [], does_not
    with in_tenant(app, acme), transaction():
        db.session.get_one(Asset, acme.asset).missing_since = alert.triggered_at
    assert len(reader.items("/installs", show="missing")) == 1
    refused = reader.get("/alerts?raised=31.10.2026")
    assert (refused.status_code, refused.get_json()["parameter"]) == (400, "raised")

"""The list of clients, by its name and by each of its counts."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Asset, Client, OrganizationMapping
from portal.scope import tenant_scope
from tests.support.statements import asked, counting
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_alert, make_asset, sign_in

MOST_STATEMENTS = 12
COUNTS = ("assets", "overdue", "alerts", "organizations")
NAMES = {
    "Bolt": {"assets": 3, "overdue": 1, "alerts": 0, "organizations": 2},
    "Cask": {"assets": 2, "overdue": 2, "alerts": 3, "organizations": 0},
    "Dell": {"assets": 0, "overdue": 0, "alerts": 0, "organizations": 3},
}
"""What each has. Acme Client has an asset that is not overdue, an alert and an organization."""
ALL = NAMES | {"Acme Client": {"assets": 1, "overdue": 0, "alerts": 1, "organizations": 1}}


@pytest.fixture
def ids(app: Flask, acme: Place) -> dict[str, int]:
    found: dict[str, int] = {}
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration = session.get_one(Asset, acme.asset).integration_id
        for name, has in NAMES.items():
            client = Client(name=name)
            session.add(client)
            session.flush()
            found[name] = client.id
            assets = [
                make_asset(integration, client.id, f"{name}-{number}", status_at=utc_now())
                for number in range(has["assets"])
            ]
            for asset in assets[: has["overdue"]]:
                asset.agent_status = "overdue"
            session.add_all(assets)
            session.flush()
            alerts = [make_alert(assets[0]) for _ in range(has["alerts"])]
            for number, alert in enumerate(alerts):
                alert.external_alert_id = f"{name}-{number}"
            session.add_all(alerts)
            session.add_all(
                OrganizationMapping(
                    integration_id=integration,
                    external_organization_id=f"{name}-{number}",
                    external_organization_name=f"{name} {number}",
                    client_id=client.id,
                )
                for number in range(has["organizations"])
            )
    return found


def test_it_is_sorted_by_each_count(
    app: Flask, admin: FlaskClient, acme: Place, ids: dict[str, int]
) -> None:
    assert ids
    page = admin.get(acme.url("clients/")).text
    for word in COUNTS:
        assert f'href="{acme.url(f"clients/?sort=-{word}")}"' in page, "the most first"
        most = sorted(ALL, key=lambda name: (-ALL[name][word], name))
        least = sorted(ALL, key=lambda name: (ALL[name][word], name))
        assert names_of(admin, acme, f"sort=-{word}") == most
        assert names_of(admin, acme, f"sort={word}") == least
        with app.app_context(), counting() as statements:
            admin.get(acme.url(f"clients/?sort=-{word}"))
        assert len(asked(statements)) <= MOST_STATEMENTS, "\n".join(asked(statements))


def test_so_is_it_for_whoever_is_limited(app: Flask, acme: Place, ids: dict[str, int]) -> None:
    http = app.test_client()
    sign_in(app, http, limited_user(app, acme, ids["Bolt"], ids["Cask"]))
    for word in COUNTS:
        shown = sorted(("Bolt", "Cask"), key=lambda name: -ALL[name][word])
        assert names_of(http, acme, f"sort=-{word}") == shown
        assert names_of(http, acme, f"sort={word}") == shown[::-1]
    page = http.get(acme.url("clients/?sort=-alerts")).text
    for name in ("Bolt", "Cask"):
        numbers = re.findall(r">(\d+)</(?:a|span)>", row_of(page, name))
        assert numbers == [str(ALL[name][each]) for each in COUNTS], name


@pytest.mark.one_database
def test_by_name_backwards_and_by_nothing_that_there_is(
    admin: FlaskClient, acme: Place, ids: dict[str, int]
) -> None:
    assert ids
    assert names_of(admin, acme, "sort=-name") == ["Dell", "Cask", "Bolt", "Acme Client"]
    assert names_of(admin, acme, "sort=-price&q=l") == ["Dell", "Bolt", "Acme Client"]


def names_of(http: FlaskClient, acme: Place, query: str) -> list[str]:
    page = http.get(acme.url(f"clients/?{query}")).text
    return re.findall(r'aria-label="Select: ([^"]+)"', page)


def row_of(page: str, name: str) -> str:
    found = re.search(rf"<tr>(?:(?!</tr>).)*Select: {name}.*?</tr>", page, re.DOTALL)
    assert found
    return found.group()

"""Lists: part by part, filtered, with what exports have, and an ETag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.config import Settings
from portal.db import db, transaction
from portal.models import Alert, Asset, AssetChange, AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.models.assets.change import ChangeAction
from portal.services.alerts.exporting import export_alerts
from portal.services.export import (
    export_assets,
    export_organizations,
    export_software,
)
from tests.api.conftest import PREFIX, Reader, in_tenant, make_reader
from tests.web.world import Place, make_alert, make_asset

MANY = 12


@pytest.fixture
def fleet(app: Flask, acme: Place) -> None:
    """Twelve assets more, each with an alert, a title in two versions and a change."""
    with in_tenant(app, acme), transaction() as session:
        first = session.get_one(Asset, acme.asset)
        for number in range(MANY):
            asset = make_asset(first.integration_id, acme.client, f"pc-{number}")
            product = SoftwareProduct(name=f"É{number}", name_key=f"é{number}", asset_count=1)
            session.add_all((asset, product))
            session.flush()
            title = SoftwareTitle(
                product_id=product.id,
                name=f"É{number}",
                normalized_name=f"é{number}",
                asset_count=1,
            )
            session.add(title)
            session.flush()
            alert = make_alert(asset)
            alert.external_alert_id = str(1000 + number)
            session.add(alert)
            change = AssetChange(
                asset_id=asset.id, action=ChangeAction.CREATED, cause="command", column="client_id",
                before=None, after=acme.client,
            )  # fmt: skip
            versions = [
                AssetSoftware(
                    asset_id=asset.id, title_id=title.id, version=version,
                    first_seen_at=first.created_at,
                )
                for version in ("1.10", "1.9")
            ]  # fmt: skip
            session.add_all((change, *versions))


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/assets", MANY + 1),
        ("/alerts", MANY + 1),
        ("/software", MANY + 1),
        ("/products", MANY + 1),
        ("/installs", 2 * MANY + 1),
        ("/history", MANY),
        ("/audit", 2),
        ("/runs/{run}/records", 2),
    ],
)
def test_parts_make_the_whole(reader: Reader, acme: Place, path: str, count: int) -> None:
    path = path.format(run=acme.run)
    whole = reader.items(path)

    assert len(whole) == count
    assert reader.items(path, limit=1 if count < 9 else 5) == whole
    assert reader.items(path, limit=count) == whole


@pytest.mark.usefixtures("fleet")
def test_the_facts_are_those_of_exports(app: Flask, reader: Reader, acme: Place) -> None:
    exports: dict[str, Any] = {
        "/assets": export_assets,
        "/organizations": export_organizations,
        "/installs": export_software,
        "/alerts": export_alerts,
    }
    for path, export in exports.items():
        with in_tenant(app, acme):
            exported = list(export())
        found = reader.items(path)
        assert len(found) == len(exported) > 0
        facts = [{name: item[name] for name in exported[0]} for item in found]
        assert sorted(facts, key=str) == sorted(exported, key=str)


@pytest.mark.usefixtures("fleet")
def test_ids_lead_from_one_to_the_other(reader: Reader, acme: Place) -> None:
    asset = reader.read(f"/assets/{acme.asset}")
    client = reader.read(f"/clients/{asset['client_id']}")
    organization = reader.read(f"/organizations/{asset['organization_id']}")
    [alert] = reader.items("/alerts", asset_id=asset["id"])
    [install] = reader.items("/installs", asset_id=asset["id"])

    assert client == {
        "id": str(acme.client), "name": "Acme Client", "asset_count": MANY + 1,
        "organization_count": 1, "url": f"http://localhost/t/acme/clients/{acme.client}",
    }  # fmt: skip
    assert organization["client_id"] == alert["client_id"] == install["client_id"] == client["id"]
    assert reader.read(f"/software/{install['title_id']}")["name"] == install["name"]
    assert asset["url"] == f"http://localhost/t/acme/assets/{acme.asset}"
    change = reader.items("/history")[0]
    assert (change["column"], change["before"], change["after"]) == (
        "client_id",
        None,
        client["id"],
    )


@pytest.mark.usefixtures("fleet")
@pytest.mark.one_database
def test_filters(reader: Reader, acme: Place) -> None:
    def names(path: str, **query: Any) -> list[str]:
        return [item["name"] for item in reader.items(path, **query)]

    assert names("/assets", q="pc-11") == ["pc-11"]
    assert names("/assets", status="missing") == []
    assert len(names("/assets", status="every", client_id=acme.client)) == MANY + 1
    assert names("/software", q="suite") == ["Acme Suite"]
    [title] = reader.items("/software", q="É3")
    older = reader.items("/installs", title_id=title["id"], older_than="1.10")
    assert [install["version"] for install in older] == ["1.9"]
    assert reader.items("/installs", product_id=title["product_id"], older_than="1.10") == older
    assert reader.read(f"/products/{title['product_id']}")["name"] == title["product"] == "É3"
    newest = reader.items("/history", limit=1)[0]["id"]
    assert reader.items("/history", after_id=newest) == []
    assert len(reader.items("/history", after_id=int(newest) - 2)) == 2
    moment = reader.items("/alerts")[3]["triggered_at"]
    assert len(reader.items("/alerts", since=moment)) == 4
    assert len(reader.items("/alerts", until=moment)) == MANY - 3
    assert reader.items("/audit", what="token")[0]["action"] == "token.made"


@pytest.mark.usefixtures("fleet")
@pytest.mark.one_database
def test_a_cursor_is_good_for_its_list_filters_and_tenant_alone(
    app: Flask, http: FlaskClient, reader: Reader, other: Place
) -> None:
    first = reader.read("/assets?limit=5&status=online")
    cursor = first["next"]
    stranger = make_reader(app, http, other)

    assert reader.get(f"/assets?limit=2&status=online&cursor={cursor}").status_code == 200
    for program, query in (
        (reader, f"/assets?cursor={cursor}"),
        (reader, f"/assets?status=online&q=pc&cursor={cursor}"),
        (reader, f"/alerts?status=active&cursor={cursor}"),
        (reader, f"/assets?status=online&cursor={cursor[:-1]}{'A' if cursor[-1] != 'A' else 'B'}"),
        (stranger, f"/assets?status=online&cursor={cursor}"),
        (reader, "/assets?status=online&cursor=~i:1"),
    ):
        answer = program.get(query)
        assert answer.status_code == 400, query
        assert '"parameter": "cursor"' in answer.text


@pytest.mark.one_database
def test_who_has_an_answer_already_is_told_so(app: Flask, reader: Reader, acme: Place) -> None:
    """Also while the computer's uptime counts on."""
    with in_tenant(app, acme), transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        asset.boot_time = asset.created_at.replace(year=2025)
    for path in ("/assets", f"/assets/{acme.asset}", "/alerts"):
        tag = reader.get(path).headers["ETag"]
        again = reader.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["RateLimit-Limit"] == "600"
    with in_tenant(app, acme), transaction() as session:
        session.get_one(Alert, acme.alert).occurrences = 7
    assert reader.get("/alerts", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "", 404),
        ("GET", "/assets/", 404),
        ("GET", "/assets/99999999999999999999", 404),
        ("POST", "/assets", 405),
        ("DELETE", "/assets/1", 405),
        ("GET", "/assets?limit=1001", 400),
        ("GET", "/assets?clientid=1", 400),
        ("GET", "/assets?q=%00", 400),
        ("GET", "/alerts?since=yesterday", 400),
        ("GET", "/installs?older_than=1", 400),
    ],
)
def test_errors_are_problem_documents(reader: Reader, method: str, path: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {reader.token}"}
    answer = reader.http.open(PREFIX + path, method=method, headers=headers)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = answer.get_json()
    assert problem["status"] == status
    assert problem["detail"].endswith(".")
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert "Set-Cookie" not in answer.headers
    if status == 405:
        assert "GET" in answer.headers["Allow"]


@pytest.fixture
def failing(settings: Settings, app: Flask) -> Iterator[FlaskClient]:
    """Of an application whose own mistakes are answered as in real life."""
    made = create_app(settings)
    yield made.test_client()
    with made.app_context():
        db.engine.dispose()


@pytest.mark.one_database
def test_a_mistake_of_the_portals_is_one_too(
    app: Flask, failing: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("a secret of ours")

    program = make_reader(app, failing, acme)
    monkeypatch.setattr("portal.services.api.assets.get_asset", fail)
    answer = program.get(f"/assets/{acme.asset}")

    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "secret" not in answer.text

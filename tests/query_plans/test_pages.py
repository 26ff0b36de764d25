"""No list, filter or order of a page walks through a big table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from benchmarks.pages import MANY_STATEMENTS, pages, sign_in, statements_of
from benchmarks.seed import Seeded, Sizes, seed
from portal.clock import utc_now
from portal.db import transaction
from portal.models import Client, Integration, Membership, MembershipClient, Tenant
from portal.models.integrations.integration import PreviewReason
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts import sign_in as sessions
from portal.services.database_role import get_role_warning
from tests.query_plans.plans import asked

ASKED = Sizes(
    clients=10,
    assets=100,
    titles=100,
    titles_per_asset=20,
    alerts=300,
    active_alerts=20,
    deliveries=300,
    runs=40,
    log_entries=200,
    events=300,
    changes=300,
)
OTHERS = Sizes(10, 400, 200, 20, 2000, 20, 2000, 300, 200, 2000, 2000)
"""Much larger: where one tenant has nearly all the rows, to walk through them is right."""


@pytest.fixture
def seeded(app: Flask) -> Seeded:
    return seed(app, ASKED, OTHERS, others=2)


CLIENTS = 3
OF_THE_TENANT = ("deliveries/", "integrations/", "audit")
"""Pages that whoever is limited to some clients does not have, or that have no such record."""


@pytest.fixture
def person(app: Flask, seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Nothing is written of the use of their browser: once a minute that is no page's doing."""
    monkeypatch.setattr(sessions, "TOUCH_EVERY", timedelta(days=1))
    return sign_in(app, seeded)


def more_pages(made: Seeded) -> list[str]:
    """Every filter and every order."""
    client, asset = f"client_id={made.client_id}", f"asset_id={made.asset_id}"
    asked = {
        "assets/": [
            *(f"status={word}" for word in ("online", "offline", "overdue", "unknown", "missing")),
            "type=server", client, "client_name=nobody", "site=Site+1", "os=windows", "q=10.1",
            *(f"sort={word}" for word in ("client", "site", "type", "os", "user", "last_seen")),
            "sort=status", f"{client}&q=pc&status=stale",
            *("reboot=due", "elsewhere=yes", "system=10+Pro", "agent=2.9.1", "behind=2.11.0"),
            f"as_of={made.past_day}&{client}&q=pc&sort=site&page=2",
        ],
        "assets/export.csv": ["", "status=overdue"],
        "alerts/": [
            *(f"status={word}" for word in ("active", "snoozed", "resolved", "any")),
            *(f"ticket={word}" for word in ("with", "without", "unsure", "failing")),
            "severity=error", client, asset, "age=1h", "age=over-7d", "q=disk",
            *("status=any&raised=2026-01-01", "status=any&resolved=2026-01-01"),
            *(f"sort={word}" for word in ("severity", "asset", "client", "occurrences")),
        ],
        "alerts/export.csv": ["", "status=any"],
        "deliveries/": ["status=failed", "event=resolve", "period=24h", "agent_id=1", "page=2"],
        "tickets/": ["", "state=attention", "state=any&q=disk", client, asset],
        "activity/": ["type=rmm.alert.triggered", "page=2", f"page={10**30}"],
        "sync-runs/": ["kind=devices", "status=failed", "kind=agent&status=failed"],
        f"sync-runs/{made.run_id}": ["action=failed", "q=pc"],
        "software/": [
            *("page=-1", "show=all", "sort=publisher", "sort=-assets", "sort=versions"),
            *("sort=installs", "sort=-older"),
            "q=driver",
        ],
        "software/export.csv": [""],
        f"software/{made.title_id}": [""],
        f"software/products/{made.product_id}": [
            f"as_of={made.past_day}",
            *("version=1.0.0", "older_than=1.9", "show=gone", "show=missing", client),
        ],
        f"assets/{made.asset_id}": ["list=sort%3Dname", "list=q%3Dpc%26sort%3Dstatus"],
        f"assets/{made.asset_id}/alerts": ["status=any", "list=sort%3D-user&q=disk"],
        f"software/products/{made.product_id}/export.csv": [""],
        f"assets/{made.asset_id}/software": ["show=all", "q=driver"],
        f"assets/{made.asset_id}/software.csv": [""],
        "search/": ["q=pc-0", "q=1", "q=devices", "q=disk+full"],
        "conflicts/": ["", "show=suggestions", "show=settled", "q=pc"],
        f"assets/{made.asset_id}/merge": ["", "q=pc"],
        "clients/": ["q=client", "sort=-overdue", "sort=-alerts"],
        "clients/picker": ["q=client", ""],
        f"clients/{made.client_id}/software": ["show=own", "show=behind&page=2"],
        f"clients/{made.client_id}/report.xlsx": [""],
        "organizations/": ["show=mapped", "show=unmapped", "q=organization"],
        "integrations/tacticalrmm/": [""],
        "integrations/tacticalrmm/webhook/": [""],
        "integrations/events/": [""],
    }  # fmt: skip
    return [f"{path}?{query}" for path, queries in asked.items() for query in queries]


def test_no_page_walks_through_a_big_table_or_takes_many_statements(
    app: Flask, app_context: None, seeded: Seeded, person: FlaskClient
) -> None:
    get_role_warning()  # of a process, not of a page
    wrong: dict[str, str] = {}
    over: dict[str, list[str]] = {}
    for path in [*pages(seeded).values(), *more_pages(seeded)]:
        with asked() as found:
            with statements_of(app) as statements:
                answer = person.get(f"/t/t{seeded.tenant_id}/{path}")
                assert answer.data  # a file is written while it is read
            if answer.status_code == 302:
                answer = person.get(answer.location, follow_redirects=True)
        assert answer.status_code == 200, path
        wrong |= {walk: path for walk in found.walks() if walk not in wrong}
        if len(statements) > most_of(path):
            over[path] = [sql for _, sql in statements]
    assert not wrong, "\n".join(f"{path}\n    {walk}" for walk, path in wrong.items())
    show_first_steps(seeded)
    for path, words in (
        ("", "first-steps"),
        ("integrations/tacticalrmm/", "has not answered since"),
    ):
        with statements_of(app) as statements:
            assert words in person.get(f"/t/t{seeded.tenant_id}/{path}").text
        if len(statements) > MANY_STATEMENTS:
            over[f"first steps of {path}"] = [sql for _, sql in statements]
    assert not over, "\n".join(f"{path}: {len(found)}" for path, found in over.items())


@pytest.mark.mainly("postgresql")
def test_nor_does_one_or_take_more_statements_for_whoever_is_limited_to_some_clients(
    app: Flask, app_context: None, seeded: Seeded, person: FlaskClient
) -> None:
    limit_everybody(seeded)
    wrong: dict[str, str] = {}
    over: dict[str, int] = {}
    for path in [*pages(seeded).values(), *more_pages(seeded)]:
        if path.startswith(OF_THE_TENANT):
            continue
        with asked() as found, statements_of(app) as statements:
            answer = person.get(f"/t/t{seeded.tenant_id}/{path}")
            assert answer.data
        assert answer.status_code in (200, 302, 403, 404), path
        wrong |= {walk: path for walk in found.walks() if walk not in wrong}
        over |= {path: len(statements)} if len(statements) > most_of(path) else {}
    assert not wrong, "\n".join(f"{path}\n    {walk}" for walk, path in wrong.items())
    assert not over


def most_of(path: str) -> int:
    """A workbook holds several lists, and that it was taken is audited."""
    return MANY_STATEMENTS + 5 if ".xlsx" in path else MANY_STATEMENTS


def limit_everybody(made: Seeded) -> None:
    """The people of the tenant, to the client that the pages are of and two others."""
    with tenant_scope(made.tenant_id), transaction() as session:
        others = select(Client.id).where(Client.id != made.client_id).order_by(Client.id)
        ids = [made.client_id, *session.scalars(others.limit(CLIENTS - 1))]
        for place in session.scalars(select(Membership)):
            place.role, place.limited = "technician", True
            session.add_all([MembershipClient(membership_id=place.id, client_id=i) for i in ids])


def show_first_steps(made: Seeded) -> None:
    """As in a new tenant: also what is to be looked at before the first sync, and a server that
    does not answer."""
    with all_tenants(), transaction() as session:
        session.get_one(Tenant, made.tenant_id).steps_skipped = []
        whose = Integration.tenant_id == made.tenant_id
        integration = session.scalars(select(Integration).where(whose)).one()
        integration.preview_due = PreviewReason.FIRST_SYNC
        integration.preview_due_at = utc_now()
        integration.failures_in_row, integration.failing_since = 9, utc_now()
        integration.breaker_until = utc_now() + timedelta(hours=1)

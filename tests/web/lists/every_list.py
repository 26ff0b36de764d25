"""A page of everything, in words as long as they come, and the pages that list it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import day_of, utc_now
from portal.db import Base, db, transaction
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    AssetSoftware,
    Client,
    Event,
    EventSubscriber,
    Notice,
    OrganizationMapping,
    SavedView,
    SoftwareProduct,
    SoftwareTitle,
    SoftwareWatch,
    SyncLogEntry,
    SyncPlanRow,
    SyncRun,
    Tenant,
    TicketAlert,
)
from portal.models.assets.change import ChangeAction
from portal.models.notices.notice import NoticeKind
from portal.models.runs.sync_plan import PlanAction
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.models.tickets.ticket import TicketStatus
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from portal.services.alerts.occurrences import hold_current
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.first_steps import ALL
from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.test_in_browser import PASSWORD
from tests.web.test_pages_in_browser import NO_PAGES
from tests.web.world import (
    Place,
    make_alert,
    make_asset,
    make_channel,
    make_conflict,
    make_delivery,
    make_feed,
    make_helpdesk,
    make_invitation,
    make_rule,
    make_ticket,
    make_token,
    make_window,
)

OWNER = "owner@acme.example"
MANY = 60
LEAST = 8
"""Rows that a telephone shows of a list, before it is scrolled."""
NO_LISTS: Final = {
    *("dashboard.show", "integrations.index", "tacticalrmm.show", "single_sign_on.show"),
    *("webhook.show", "webhook.progress", "organizations.created", "notices.show_choices"),
    *("channels.choose", "helpdesks.choose", "clients.new", "rules.new", "windows.new"),
    *("factor_rules.show", "rules.transfer", "api_tokens.reference", "search.index"),
    "windows.calendar",
}
"""Pages without the id of a record that are about one thing, or ask something."""
LISTS_OF_RECORDS: Final = {"helpdesks.customers", "sync_runs.show"}
"""Pages of a record that are a list."""
LISTS_OF_DAYS: Final = ("assets.index", "clients.index", "software.index")
"""They show a past day too."""
LONG: Final = {
    "site_name": "Head office, second floor",
    "os_type": "windows",
    "os_version": "Windows Server 2022 Datacenter, 64 bit v21H2 (build 20348.2227)",
    "current_user": "maximiliane.oberhuber",
    "serial_number": "VMware-56 4d 8e 2a 91 0c 77 3f",
    "agent_version": "2.10.0",
    "make_model": "Hewlett-Packard HP ProLiant DL380 Gen10 Plus",
    "lan_ip": "192.168.178.142/24",
}


def list_pages(app: Flask, place: Place) -> dict[str, str]:
    """The address of every page that is a list, by its endpoint: of those without the id of a
    record all but NO_LISTS. Those of a past day have " as of" behind it."""
    quiet = replace(place, run=_find_quiet_run(app, place))
    pages = {
        rule.endpoint: address(rule, place.slug, quiet)
        for rule in tenant_rules(app)
        if "GET" in methods(rule)
        and (rule.arguments == {"slug"} or rule.endpoint in LISTS_OF_RECORDS)
    }
    assert pages.keys() >= NO_LISTS, "name pages that there are"
    lists = {name: pages[name] for name in sorted(pages.keys() - NO_LISTS - NO_PAGES)}
    day = day_of(utc_now())
    return lists | {f"{name} as of": f"{lists[name]}?as_of={day}" for name in LISTS_OF_DAYS}


def _find_quiet_run(app: Flask, place: Place) -> int:
    """One that went well: on the page of another one, what went wrong comes first."""
    query = select(SyncLogEntry.run_id).where(SyncLogEntry.run_id != place.run).limit(1)
    with app.app_context(), tenant_scope(place.id):
        return db.session.scalars(query).one()


def make_many(app: Flask, place: Place) -> None:
    """More than a page of what lists are moved through."""
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        first = session.get_one(Asset, place.asset)
        run = _make_run(first.integration_id, 0)
        session.add(run)
        for number in range(MANY):
            client = Client(name=f"A client with quite a long name, number {number}")
            session.add(client)
            session.flush()
            asset = make_asset(first.integration_id, client.id, f"workstation-{number:04}", **LONG)
            asset.needs_reboot = number % 3 == 0
            asset.last_seen_at = utc_now() - timedelta(minutes=50)
            session.add(asset)
            session.flush()
            alert = make_alert(asset)
            alert.external_alert_id = f"many-{number}"
            alert.message = f"Disk C: of {asset.name} is nearly full, and has been for some days"
            session.add_all([alert, *_make_more(first.integration_id, number)])
            session.add_all([make_ticket(place.helpdesk, asset, str(number)), make_delivery(asset)])
            session.add_all(_make_records(run.id, place, asset, number))
            session.add(_make_install(session, asset, number))
            record(Action.CLIENT_ADDED, Target("client", client.id, client.name))


def _make_run(integration_id: int, number: int) -> SyncRun:
    return SyncRun(
        integration_id=integration_id,
        kind=SyncKind.DEVICES,
        status=RunStatus.SUCCESS,
        trigger="schedule",
        updated=number,
    )


def _make_install(session: Session, asset: Asset, number: int) -> AssetSoftware:
    name = f"Suite {number} for Windows, the longer edition"
    product = SoftwareProduct(
        name=name,
        name_key=f"suite {number}",
        publisher="A publisher",
        asset_count=number + 1,
        install_count=number + 1,
        version_count=3,
        newest_version="10.0.19041.685",
        older_count=number,
    )
    session.add(product)
    session.flush()
    title = SoftwareTitle(product_id=product.id, name=name, normalized_name=name, publisher="A")
    session.add(title)
    session.flush()
    version = "10.0.19041.685"
    return AssetSoftware(
        asset_id=asset.id, title_id=title.id, version=version, first_seen_at=utc_now()
    )


def _make_more(integration_id: int, number: int) -> list[Base]:
    organization = OrganizationMapping(
        integration_id=integration_id,
        external_organization_id=f"many-{number}",
        external_organization_name=f"An organization with quite a long name, number {number}",
        agent_count=number,
    )
    event = Event(type="rmm.device.created", subject=f"workstation-{number:04}", payload={})
    return [_make_run(integration_id, number), organization, event]


def _make_records(run_id: int, place: Place, asset: Asset, number: int) -> list[Base]:
    """Of the log of a run, of the plan and of the asset's history."""
    moved = {"site_name": [f"Branch {number}", "Head office, second floor"]}
    agent = asset.rmm_device_id
    return [
        SyncLogEntry(
            run_id=run_id, action="moved", external_id=agent, name=asset.name, changes=moved
        ),
        SyncPlanRow(
            plan_id=place.plan,
            action=PlanAction.MOVE,
            agent_id=agent,
            name=asset.name,
            changes=moved,
        ),
        AssetChange(
            asset_id=place.asset,
            action=ChangeAction.MOVED,
            column="site_name",
            before=moved["site_name"][0],
            after=moved["site_name"][1],
            cause="schedule",
        ),
    ]


def make_more_lists(app: Flask, place: Place) -> None:
    """As many as a telephone shows, of all that `make_many` makes no page of."""
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        session.get_one(Tenant, place.id).steps_skipped = [ALL]  # which stand above some lists
        asset, tomorrow = session.get_one(Asset, place.asset), utc_now() + timedelta(days=1)
        products = session.scalars(select(SoftwareProduct.id).limit(LEAST)).all()
        for number, product in enumerate(products):
            name = f"The {number}th of its kind, with quite a long name"
            old, new = (
                make_asset(asset.integration_id, place.client, f"{word} {number} of the branch")
                for word in ("old", "new")
            )
            session.add_all((old, new))
            session.flush()
            rule = make_rule(name, place.channel, number + 2)
            rule.conditions |= {"severities": ["error", "warning"], "kinds": ["availability"]}
            window, channel, helpdesk = make_window(name), make_channel(name), make_helpdesk(name)
            window.starts = f"{tomorrow:%Y-%m-%dT%H:%M}"
            window.over_at = tomorrow + timedelta(hours=2)
            rows: list[Base] = [make_conflict(new, old, "clone"), rule, window, channel, helpdesk]
            rows += [make_token(name), make_feed(name, place.member), make_invitation(name)]
            rows += [
                EventSubscriber(host=f"number-{number}.example", types=[], last_event_id=0),
                SoftwareWatch(product_id=product, older_than="2.0", created_by="test"),
                SavedView(list_name="assets", name=name, query=f"q={number}"),
                Notice(kind=NoticeKind.CHANNEL_FAILING, subject=str(number), text=name),
            ]
            session.add_all(rows)
        _hang_tickets(session, asset)
    with app.app_context():
        for number in range(LEAST):
            email = f"person.{number}.of.the.help.desk@acme.example"
            add_user(email, PASSWORD, place.slug, "viewer")
        add_user(OWNER, PASSWORD, place.slug, "owner")


def _hang_tickets(session: Session, asset: Asset) -> None:
    """On the alerts that are listed first: without a number, as they have none yet."""
    helpdesk = make_helpdesk("contoso service desk berlin")
    session.add(helpdesk)
    session.flush()
    newest = select(Alert.id).order_by(Alert.triggered_at.desc(), Alert.id.desc()).limit(3)
    states = (TicketStatus.WAITING, TicketStatus.UNSURE, TicketStatus.FAILED)
    alerts = hold_current(session, session.scalars(newest).all())
    for held, status in zip(alerts, states, strict=True):
        ticket = make_ticket(helpdesk.id, asset, str(status))
        ticket.status, ticket.reference, ticket.url = status, None, None
        ticket.outage = f"alert {held.handling.alert_id}"
        session.add(ticket)
        session.flush()
        session.add(
            TicketAlert(
                ticket_id=ticket.id,
                handling_id=held.handling.id,
                alert_id=held.handling.alert_id,
                occurrence=held.handling.occurrence,
            )
        )


def sign_in_as_owner(page: Page, portal: str) -> None:
    page.goto(portal)
    page.get_by_label("Email address").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Skip for now").click()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()

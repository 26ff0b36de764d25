"""A tenant with one of everything, and people signed in to it, without their passwords."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.events.delivery import make_secret
from portal.models import (
    Alert,
    AlertRule,
    ApiToken,
    Asset,
    AssetConflict,
    AssetSoftware,
    CalendarFeed,
    Channel,
    Client,
    ConnectionTest,
    Delivery,
    Errand,
    EventSubscriber,
    ExternalEntityMapping,
    Helpdesk,
    Invitation,
    MaintenanceWindow,
    Membership,
    OrganizationMapping,
    SavedView,
    SoftwareMatch,
    SoftwareProduct,
    SoftwareTitle,
    SoftwareWatch,
    SyncLogEntry,
    SyncPlan,
    SyncPlanRow,
    SyncRun,
    Tenant,
    Ticket,
    UndoOffer,
    User,
    UserSession,
)
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.errands.errand import ErrandKind
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_plan import PlanAction, PlanOrigin, PlanStatus
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.models.tickets.ticket import TicketStatus
from portal.models.undo.offer import UndoKind
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts.tokens import digest
from portal.services.events.subscribers import ADDRESS, SIGNING_SECRET
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from portal.vault import store_secret

TOKEN = "token"
KEY = "THE-API-KEY-OF-THE-TESTS"
ACTIVE = {
    "state": IntegrationState.ACTIVE,
    "server_verified": True,
    "beta_api": True,
    "preview_due": None,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant, and the ids of what it has."""

    id: int
    slug: str
    client: int
    organization: int
    asset: int
    run: int
    test: int
    alert: int
    delivery: int
    subscriber: int
    title: int
    errand: int
    failure: int
    """An entry in the log of the run: an agent that could not be used."""
    plan: int
    conflict: int
    """A suggestion: nobody needs to answer it."""
    member: int
    """A viewer who has a place nowhere else."""
    invitation: int
    token: int
    """Of the API; nobody knows what it is."""
    window: int
    """Of maintenance: in force now, for everything."""
    feed: int
    """A link to the calendar, of the member."""
    rule: int
    """Of alerts, switched on; it tells the only channel."""
    channel: int
    """Of the kind `http`; nothing was sent to it."""
    helpdesk: int
    """Request Tracker, which nobody tested."""
    ticket: int
    """Open in it, about the asset; no alert hangs on it."""
    view: int
    """Of assets, for everybody."""
    offer: int
    """To undo that the view was deleted, as if the member had done it."""
    product: int
    """Of the title."""
    watch: int
    """For old versions of the product, which the asset matches."""

    def url(self, path: str = "") -> str:
        return f"/t/{self.slug}/{path}"


def make_place(app: Flask, slug: str = "acme", **integration: Any) -> Place:
    """An organization mapped to a client, with one asset, one finished run and one test."""
    name = slug.capitalize()
    with app.app_context(), all_tenants(), transaction() as session:
        tenant = Tenant(name=f"{name} IT", slug=slug)
        session.add(tenant)
        session.flush()
        tenant_id = tenant.id
    with app.app_context(), tenant_scope(tenant_id):
        save_connection(ConnectionSettings(base_url=f"https://api.{slug}.example", api_key=KEY))
    with app.app_context(), tenant_scope(tenant_id), transaction() as session:
        connection, client = get_integration(), Client(name=f"{name} Client")
        for fact, value in (ACTIVE | integration).items():
            setattr(connection, fact, value)
        session.add(client)
        session.flush()
        organization = OrganizationMapping(
            integration_id=connection.id,
            external_organization_id="7",
            external_organization_name=f"{name} Organization",
            client_id=client.id,
            agent_count=1,
        )
        asset = make_asset(connection.id, client.id, f"{slug}-pc")
        run = SyncRun(
            integration_id=connection.id,
            kind=SyncKind.DEVICES,
            status=RunStatus.PARTIAL,
            failed=1,
            trigger="button",
            source="beta",
            started_at=utc_now(),
            finished_at=utc_now(),
        )
        test = ConnectionTest(integration_id=connection.id, ok=True, message="Everything works.")
        session.add_all((organization, asset, run, test))
        session.flush()
        entry = SyncLogEntry(run_id=run.id, action="created", external_id="a", name=asset.name)
        failure = SyncLogEntry(
            run_id=run.id,
            action="failed",
            external_id=asset.rmm_device_id,
            name=asset.name,
            reason="Its site is not listed.",
        )
        entity = ExternalEntityMapping(
            integration_id=connection.id,
            asset_id=asset.id,
            external_entity_id=asset.rmm_device_id,
            external_realm_id="7",
            entity_metadata={},
        )
        alert, delivery = make_alert(asset), make_delivery(asset)
        subscriber = EventSubscriber(host=f"{slug}-pc.example", types=[], last_event_id=0)
        product = SoftwareProduct(
            name=f"{name} Suite",
            name_key=f"{slug} suite",
            publisher=f"{name} Publisher",
            asset_count=1,
            install_count=1,
            version_count=1,
            newest_version="1.2",
        )
        session.add(product)
        session.flush()
        title = SoftwareTitle(
            product_id=product.id,
            name=f"{name} Suite",
            normalized_name=f"{slug} suite",
            publisher=f"{name} Publisher",
            asset_count=1,
            version_count=1,
        )
        errand = Errand(kind=ErrandKind.TEST_SUBSCRIBER, title=name, wanted={}, ok=True)
        session.add_all((entry, failure, entity, alert, delivery, subscriber, title, errand))
        session.flush()
        session.add(
            AssetSoftware(
                asset_id=asset.id, title_id=title.id, version="1.2", first_seen_at=utc_now()
            )
        )
        plan = make_plan(run, asset)
        session.add(plan)
        session.flush()
        conflict = make_conflict(asset)
        session.add_all((*make_plan_rows(plan, asset), conflict))
        session.flush()
        store_secret(session, subscriber, ADDRESS, f"https://{subscriber.host}")
        store_secret(session, subscriber, SIGNING_SECRET, make_secret())
        member = User(email=f"member@{slug}.example", password_hash="none")
        session.add(member)
        session.flush()
        invitation = make_invitation(f"guest@{slug}.example")
        token, channel = make_token(slug), make_channel(slug)
        window = make_window(slug)
        feed = make_feed(slug, member.id)
        place = Membership(user_id=member.id, role="viewer")
        session.add_all((place, invitation, token, window, feed, channel))
        session.flush()
        store_secret(session, channel, "url", f"https://{slug}-pc.example/hook-of-the-tests")
        rows = (client, organization, asset, run, test, alert, delivery, subscriber, title, errand)
        ids = [
            row.id
            for row in (*rows, failure, plan, conflict, member, invitation, token, window, feed)
        ]
        rule = make_rule(f"{name} servers", channel.id)
        session.add(rule)
        session.flush()
        helpdesk = make_helpdesk(slug)
        session.add(helpdesk)
        session.flush()
        store_secret(session, helpdesk, "token", "1-23-helpdesk-of-the-tests")
        ticket = make_ticket(helpdesk.id, asset, "1042")
        session.add(ticket)
        session.flush()
        view = SavedView(list_name="assets", name=f"{name} servers", query="type=server")
        session.add(view)
        session.flush()
        kind = UndoKind.SHARED_VIEW_DELETED
        offer = UndoOffer(user_id=member.id, kind=kind, change={"view_id": view.id})
        session.add(offer)
        session.flush()
        ids += [rule.id, channel.id, helpdesk.id, ticket.id, view.id, offer.id, product.id]
        watch = SoftwareWatch(product_id=product.id, older_than="2.0", created_by="test")
        session.add(watch)
        session.flush()
        session.add(make_match(watch.id, asset.id))
        ids.append(watch.id)
        return Place(tenant_id, slug, *ids)


def make_match(watch_id: int, asset_id: int) -> SoftwareMatch:
    return SoftwareMatch(watch_id=watch_id, asset_id=asset_id, version="1.2", since=utc_now())


def make_ticket(helpdesk_id: int, asset: Asset, reference: str) -> Ticket:
    return Ticket(
        helpdesk_id=helpdesk_id,
        client_id=asset.client_id,
        asset_id=asset.id,
        outage=f"asset {asset.id}",
        key=f"portal-{secrets.token_hex(8)}",
        queue="support",
        subject=f"Check failing: {asset.name}",
        body=f"The disk of {asset.name} is full.",
        status=TicketStatus.OPEN,
        reference=reference,
        url=f"https://desk.example/{reference}",
        opened_at=utc_now(),
    )


def make_rule(name: str, channel: int, position: int = 1) -> AlertRule:
    """On; it tells the channel of alerts of servers."""
    return AlertRule(
        name=name,
        position=position,
        conditions={"asset_types": ["server"]},
        steps={"notify": [channel]},
        switched_on_at=utc_now(),
    )


def make_channel(slug: str) -> Channel:
    settings = {"method": "POST", "format": "json", "knows_keys": False}
    return Channel(
        kind="http",
        name=f"{slug.capitalize()} Room",
        settings=settings | {"target": f"{slug}-pc.example"},
        templates={},
    )


def make_helpdesk(slug: str) -> Helpdesk:
    return Helpdesk(kind="rt", name=f"{slug.capitalize()} Desk", settings=make_desk_form(slug))


def make_desk_form(slug: str) -> dict[str, str]:
    """As a form of Request Tracker is filled in, but for the token."""
    url = f"https://{slug}-pc.example/rt"
    return {"url": url, "field": "PortalKey", "closed": "resolved", "open": "open"}


def make_token(slug: str) -> ApiToken:
    return ApiToken(
        name=f"{slug} reports",
        token_digest=digest(secrets.token_hex()),
        ending="last",
        scopes=["read"],
        networks=[],
        expires_at=utc_now() + timedelta(days=90),
    )


def make_window(slug: str) -> MaintenanceWindow:
    begun = utc_now() - timedelta(minutes=5)
    return MaintenanceWindow(
        name=f"{slug} patch night",
        zone="UTC",
        starts=f"{begun:%Y-%m-%dT%H:%M}",
        minutes=120,
        over_at=begun + timedelta(hours=2),
        created_by=f"planner@{slug}.example",
    )


def make_feed(slug: str, user_id: int) -> CalendarFeed:
    name, nobodys = f"{slug} calendar", digest(secrets.token_hex())
    return CalendarFeed(name=name, token_digest=nobodys, user_id=user_id)


def make_invitation(email: str, role: str = "viewer") -> Invitation:
    return Invitation(
        email=email,
        role=role,
        token_digest=secrets.token_hex(8),
        expires_at=utc_now() + timedelta(days=1),
    )


def make_plan(run: SyncRun, asset: Asset) -> SyncPlan:
    """Open, of a run that was held."""
    return SyncPlan(
        integration_id=asset.integration_id,
        run_id=run.id,
        origin=PlanOrigin.BRAKE,
        status=PlanStatus.OPEN,
        reason=f"This run would move {asset.name}.",
        expires_at=utc_now() + timedelta(days=1),
    )


def make_plan_rows(plan: SyncPlan, asset: Asset) -> list[SyncPlanRow]:
    same = {"plan_id": plan.id, "name": asset.name}
    moved = {"site_name": ["HQ", "Branch"], "client_id": [asset.client_id, asset.client_id]}
    return [
        SyncPlanRow(**same, action=PlanAction.MOVE, agent_id=asset.rmm_device_id, changes=moved),
        SyncPlanRow(
            **same, action=PlanAction.SKIPPED, agent_id="b", reason="Not mapped.", changes={}
        ),
    ]


def make_conflict(
    asset: Asset, other: Asset | None = None, kind: str = "same_name"
) -> AssetConflict:
    return AssetConflict(
        integration_id=asset.integration_id,
        kind=kind,
        agent_id=asset.rmm_device_id,
        asset_id=asset.id,
        other_asset_id=other.id if other else None,
        reason=f"{asset.name} may be a computer that is known already.",
        evidence={},
    )


def make_asset(integration_id: int, client_id: int, name: str, **facts: Any) -> Asset:
    known: dict[str, Any] = {
        "rmm_provider": "tacticalrmm",
        "rmm_device_id": secrets.token_hex(20),
        "rmm_organization_id": "7",
        "asset_type": "workstation",
        "agent_status": "online",
        "status_at": utc_now(),
        "last_seen_at": utc_now(),
        "offline_minutes": 4,
        "overdue_minutes": 30,
        "last_rmm_sync_at": utc_now(),
    }
    return Asset(integration_id=integration_id, client_id=client_id, name=name, **known | facts)


def make_alert(asset: Asset) -> Alert:
    return Alert(
        integration_id=asset.integration_id,
        external_alert_id="31",
        condition="availability",
        agent_id=asset.rmm_device_id,
        asset_id=asset.id,
        hostname=asset.name,
        alert_type="availability",
        severity=Severity.ERROR,
        status=AlertStatus.ACTIVE,
        source=AlertSource.WEBHOOK,
        triggered_at=utc_now(),
    )


def make_delivery(asset: Asset) -> Delivery:
    body = f'{{"hostname": "{asset.name}"}}'
    return Delivery(
        integration_id=asset.integration_id, body=body, body_bytes=len(body), kept_bytes=len(body)
    )


def make_user(app: Flask, email: str, *places: Place | Tenant, role: str = "admin") -> int:
    """Who has no password: nobody signs in as them but by `sign_in`."""
    with app.app_context(), all_tenants(), transaction() as session:
        user = User(email=email, password_hash="none")
        session.add(user)
        session.flush()
        for place in places:
            session.add(Membership(user_id=user.id, tenant_id=place.id, role=role))
        return user.id


def sign_in(app: Flask, http: FlaskClient, user_id: int) -> None:
    token = secrets.token_urlsafe(8)
    with app.app_context(), transaction() as session:
        session.add(UserSession(token_digest=digest(token), user_id=user_id))
    with http.session_transaction() as cookie:
        cookie[TOKEN] = token

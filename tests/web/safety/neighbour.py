"""Another client of the same tenant, whose every record bears a mark: a name, an id or a number
that nothing else has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from portal.clock import utc_now
from portal.db import Base, db, transaction
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    AssetConflict,
    AssetSoftware,
    Client,
    Delivery,
    Errand,
    Event,
    Invitation,
    Membership,
    MembershipClient,
    OrganizationMapping,
    RemovedAsset,
    SoftwareProduct,
    SoftwareTitle,
    SoftwareWatch,
    SyncLogEntry,
    SyncPlan,
    SyncPlanRow,
    SyncRun,
    User,
)
from portal.models.assets.change import ChangeAction
from portal.models.errands.errand import ErrandKind
from portal.models.events.event import EventType
from portal.models.runs.sync_plan import PlanAction
from portal.models.runs.sync_run import COUNT_NAMES, RunStatus, SyncKind
from portal.scope import all_tenants, tenant_scope
from tests.web.world import (
    Place,
    make_alert,
    make_asset,
    make_conflict,
    make_match,
    make_plan,
    make_ticket,
    make_user,
)

NAME = "Zebra"
NUMBER = 770077
"""Of counts, as they stand in the records."""
FIRST_ID = 880001
MARKS = ("zebra", "7700", "770,0", "8800")
"""Parts of all these, which no page may show to whoever is limited to the other client."""


def make_neighbour(app: Flask, acme: Place) -> Place:
    """Its ids, by the names of those of `acme`; users and settings are the tenant's."""
    ids = iter(range(FIRST_ID, FIRST_ID + 99))
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        connection = session.get_one(Asset, acme.asset).integration_id

        def add(row: Any) -> Any:
            row.id = next(ids)
            session.add(row)
            session.flush()
            return row

        client = add(Client(name=f"{NAME} Client"))
        organization = add(
            OrganizationMapping(
                integration_id=connection,
                external_organization_id=f"{NAME}-7",
                external_organization_name=f"{NAME} Organization",
                client_id=client.id,
                agent_count=NUMBER,
            )
        )
        add(
            OrganizationMapping(
                integration_id=connection,
                external_organization_id=f"{NAME}-8",
                external_organization_name=f"{NAME} unmapped",
            )
        )
        facts = {"site_name": f"{NAME} HQ", "current_user": NAME, "serial_number": "SAME"}
        asset = add(_asset(connection, client.id, f"{NAME}-pc", **facts))
        twin = add(_asset(connection, client.id, f"{NAME}-twin", missing_since=utc_now()))
        fleet = _run(connection, SyncKind.DEVICES)  # seen by everybody, but for what it says
        session.add(fleet)
        session.flush()
        run = add(_run(connection, SyncKind.ASSETS))
        failure = add(_entry(run, "failed", asset))
        add(_entry(run, "created", twin))
        alert = make_alert(asset)
        alert.external_alert_id, alert.message = f"{NAME}-31", f"{NAME} is on fire"
        add(alert)
        ticket = make_ticket(acme.helpdesk, asset, str(NUMBER))
        ticket.last_error, ticket.body = f"{NAME} is not there.", NAME
        add(ticket)
        body = f"{NAME} body"
        delivery = add(Delivery(integration_id=connection, body=body, body_bytes=NUMBER))
        product = add(
            SoftwareProduct(
                name=f"{NAME} Suite",
                name_key=NAME.lower(),
                asset_count=NUMBER,
                install_count=NUMBER,
                version_count=NUMBER,
                newest_version=f"{NAME} 9",
                older_count=NUMBER,
            )
        )
        title = add(
            SoftwareTitle(
                product_id=product.id,
                name=f"{NAME} Suite",
                normalized_name=NAME.lower(),
                asset_count=NUMBER,
                version_count=NUMBER,
            )
        )
        add(_install(asset, title))
        watch = add(SoftwareWatch(product_id=product.id, created_by=f"{NAME}@acme.example"))
        add(make_match(watch.id, asset.id))
        add(make_match(acme.watch, asset.id))
        shared = session.get_one(SoftwareTitle, acme.title)
        shared.asset_count = shared.version_count = NUMBER
        made = session.get_one(SoftwareProduct, acme.product)
        made.asset_count = made.install_count = made.version_count = made.older_count = NUMBER
        made.newest_version = f"{NAME} 9"
        add(_install(asset, shared))
        errand = add(
            Errand(kind=ErrandKind.ACT_ON_ALERTS, title=f"Resolve {NAME}", wanted={}, ok=True)
        )
        plan = make_plan(fleet, asset)
        plan.reason = f"This would take {NUMBER} of {NAME}."
        add(plan)
        add(_row(plan, asset))
        conflict = make_conflict(asset, twin, "clone")
        add(conflict)
        add(AssetChange(asset_id=asset.id, action=ChangeAction.CREATED, cause="button"))
        add(_event(asset))
        _let_them_meet(session, acme, asset, add)
        found = {
            "client": client, "organization": organization, "asset": asset, "run": run,
            "alert": alert, "delivery": delivery, "title": title, "product": product,
            "watch": watch, "errand": errand, "ticket": ticket, "failure": failure, "plan": plan,
            "conflict": conflict,
        }  # fmt: skip
        return replace(acme, **{name: row.id for name, row in found.items()})


def _let_them_meet(session: Any, acme: Place, asset: Asset, add: Any) -> None:
    """What records of one client say of the other."""
    own = session.get_one(Asset, acme.asset)
    own.serial_number = "SAME"
    run = session.get_one(SyncRun, acme.run)
    run.error, run.title = f"{NAME} was not read", f"Moved {NAME}"
    for name in COUNT_NAMES:
        setattr(run, name, NUMBER)
    session.get_one(SyncPlan, acme.plan).reason = f"This would take {NUMBER} of {NAME}."
    moved = {"client_id": [asset.client_id, own.client_id], "site_name": [NAME, "HQ"]}
    evidence = {"evidence": {"assets": [{"asset_id": asset.id, "name": asset.name}]}}
    for action, changes in (("moved", moved), ("created", evidence), ("merged", None)):
        entry = _entry(run, action, own)
        entry.changes, entry.reason = changes, f"It looks like {NAME}."
        add(entry)
    row = _row(session.get_one(SyncPlan, acme.plan), own, name=own.name)
    row.changes = {"client_id": [asset.client_id, own.client_id]}
    add(row)
    for action, column in ((ChangeAction.MOVED, "site_name"), (ChangeAction.EDITED, "client_id")):
        change = AssetChange(asset_id=own.id, action=action, column=column, cause="person")
        change.before, change.after = (NAME if column == "site_name" else asset.client_id), None
        change.user_id = acme.member
        add(change)
    add(make_conflict(own, asset, "same_serial"))
    add(_event(own, client_id=asset.client_id))
    gone = RemovedAsset(
        integration_id=asset.integration_id, asset_id=FIRST_ID + 98, into_asset_id=asset.id
    )
    gone.snapshot = {}
    add(gone)


def _asset(connection: int, client_id: int, name: str, **facts: Any) -> Asset:
    known = {"rmm_device_id": f"{name}-agent", "rmm_organization_id": f"{NAME}-7", "os_type": NAME}
    return make_asset(connection, client_id, name, **known | facts)


def _run(connection: int, kind: SyncKind) -> SyncRun:
    counts = dict.fromkeys(COUNT_NAMES, NUMBER)
    facts = {"status": RunStatus.PARTIAL, "trigger": "button", "finished_at": utc_now()}
    words = {"title": f"Retired {NAME}-pc", "error": f"{NAME} failed", "subject": NAME}
    return SyncRun(
        integration_id=connection, kind=kind, started_at=utc_now(), **facts, **words, **counts
    )


def _entry(run: SyncRun, action: str, asset: Asset) -> SyncLogEntry:
    return SyncLogEntry(
        run_id=run.id, action=action, external_id=asset.rmm_device_id, name=asset.name
    )


def _install(asset: Asset, title: SoftwareTitle) -> AssetSoftware:
    return AssetSoftware(
        asset_id=asset.id, title_id=title.id, version=f"{NAME} 9", first_seen_at=utc_now()
    )


def _row(plan: SyncPlan, asset: Asset, name: str = f"{NAME}-pc") -> SyncPlanRow:
    row = SyncPlanRow(plan_id=plan.id, action=PlanAction.UPDATE, agent_id=asset.rmm_device_id)
    row.name, row.changes = name, {"site_name": ["HQ", "Branch"]}
    return row


def _event(asset: Asset, **facts: Any) -> Event:
    about = {"asset_id": asset.id, "rmm_device_id": asset.rmm_device_id, "name": asset.name}
    payload = about | {"client_id": asset.client_id} | facts
    return Event(type=str(EventType.DEVICE_UPDATED), subject=asset.name, payload=payload)


def limited_user(app: Flask, acme: Place, *clients: int, role: str = "technician") -> int:
    """Somebody of acme who sees these clients alone."""
    email = f"limited-{role}@acme.example"
    user_id = make_user(app, email, acme, role=role)
    with app.app_context(), all_tenants(), transaction() as session:
        place = session.scalars(select(Membership).filter_by(user_id=user_id)).one()
        place.limited = True
        owner = {"tenant_id": acme.id, "membership_id": place.id}
        session.add_all([MembershipClient(**owner, client_id=each) for each in clients])
    return user_id


def fingerprint(app: Flask) -> dict[str, Any]:
    """The marked rows, and how many rows there are of what nobody limited makes."""
    with app.app_context(), all_tenants():
        marked = (
            Client, OrganizationMapping, Asset, Alert, AssetSoftware, SoftwareProduct,
            SoftwareTitle, SoftwareWatch, AssetConflict, SyncPlan, SyncPlanRow, Delivery,
            RemovedAsset, AssetChange,
        )  # fmt: skip
        rows = {
            model.__name__: [
                {column.key: getattr(row, column.key) for column in model.__table__.columns}
                for row in db.session.scalars(
                    select(model).where(model.id >= FIRST_ID).order_by(model.id)
                )
            ]
            for model in marked
        }
        models: tuple[type[Base], ...] = (Client, OrganizationMapping, User, Membership, Invitation)
        counts = {
            model.__name__ + "s": db.session.scalar(select(func.count()).select_from(model))
            for model in models
        }
        return rows | counts

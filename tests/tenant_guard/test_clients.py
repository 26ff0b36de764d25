"""Whoever is limited to some clients reads and writes their rows alone, whatever the statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased, joinedload

from portal.client_guard import found_from
from portal.clock import utc_now
from portal.db import db, insert, transaction
from portal.models import (
    Alert,
    AlertHandling,
    Asset,
    AssetSoftware,
    Client,
    Delivery,
    Errand,
    Event,
    Helpdesk,
    Integration,
    Message,
    OrganizationMapping,
    SoftwareTitle,
    SyncRun,
    Tenant,
    Ticket,
    TicketAlert,
    TimelineEntry,
    User,
)
from portal.models.channels.message import MessageReason
from portal.models.errands.errand import ErrandKind
from portal.scope import (
    ScopeMissing,
    all_tenants,
    allowed_clients,
    beyond_clients,
    known_by,
    limited_to,
    tenant_scope,
)
from tests.support.statements import counting
from tests.tenant_guard.world import OURS, make_integration, make_organization
from tests.web.world import make_alert, make_asset, make_channel, make_delivery, make_ticket

pytestmark = [pytest.mark.usefixtures("two_clients"), pytest.mark.one_database]

MINE, OTHER = 11, 12


@pytest.fixture
def two_clients(app: Flask) -> Iterator[None]:
    """Of one tenant, each with an organization, an asset and an alert; the test is in its scope."""
    with app.app_context():
        with all_tenants(), transaction() as session:
            session.add(Tenant(id=OURS, slug="ours", name="ours"))
            session.flush()
            session.add(make_integration(OURS))
            session.flush()
            for number in (MINE, OTHER):
                session.add(Client(id=number, tenant_id=OURS, name=f"client {number}"))
                session.flush()
                organization = make_organization(OURS, client=number, external_id=str(number))
                asset = make_asset(OURS, number, f"pc {number}", tenant_id=OURS, id=number)
                session.add_all((organization, asset))
                session.flush()
                alert, delivery = make_alert(asset), make_delivery(asset)
                alert.tenant_id = delivery.tenant_id = OURS
                alert.id, alert.external_alert_id = number, str(number)
                session.add_all((alert, delivery))
        db.session.remove()
        with tenant_scope(OURS):
            yield
        db.session.remove()


def _cte() -> Any:
    found = select(Asset.id).cte()
    return select(found.c.id)


READS: dict[str, Callable[[], Any]] = {
    "clients": lambda: select(Client.id),
    "an alias": lambda: select(aliased(Client).id),
    "organizations": lambda: select(OrganizationMapping.client_id),
    "assets": lambda: select(Asset.id),
    "what hangs on assets": lambda: select(Alert.id),
    "a join": lambda: select(Alert.id).join(Alert.asset).join(Asset.client),
    "a subquery": lambda: select(select(Alert.asset_id).subquery().c.asset_id),
    "a cte": _cte,
    "an aggregate": lambda: select(func.min(Asset.id)),
    "exists": lambda: select(Tenant.id + 10).where(
        select(Alert.id).where(Alert.id == MINE).exists()
    ),
}


@pytest.mark.parametrize("form", READS)
def test_a_read_sees_the_rows_of_allowed_clients_alone(form: str) -> None:
    with limited_to([MINE]):
        assert set(db.session.scalars(READS[form]())) == {MINE}
    with limited_to([]):
        assert MINE not in set(db.session.scalars(READS[form]()))
    with limited_to([OTHER]):
        assert MINE not in set(db.session.scalars(READS[form]()))
    assert MINE in set(db.session.scalars(READS[form]()))


def test_what_belongs_to_no_client_is_not_there() -> None:
    with limited_to([MINE]):
        for model in (Delivery, Errand, User):
            assert db.session.scalars(select(model)).all() == []
        assert db.session.scalar(select(func.count(Delivery.id))) == 0
        assert db.session.scalars(select(Integration)).one().base_url == ""
    assert db.session.scalar(select(func.count(Delivery.id))) == 2


def test_of_colleagues_who_did_something_no_address_is_there() -> None:
    who, own = "anna@acme.example", "me@acme.example"
    with transaction() as session:
        session.add(
            AlertHandling(alert_id=MINE, occurrence=1, began_at=utc_now(), acknowledged_by=who)
        )
        for each in (who, own):
            text = f"Acknowledged by {each}: disk is full."
            session.add(TimelineEntry(alert_id=MINE, kind="acknowledged", text=text))
        agent_id = session.get_one(Asset, MINE).rmm_device_id
        told = {"agent_id": agent_id, "message": f"Mail of {who}.", "assigned_to": who}
        session.get_one(Alert, MINE).snoozed_by = who
        session.add(Event(type="rmm.alert.assigned", subject="pc", payload=told))
    db.session.expunge_all()
    with limited_to([MINE]), known_by(own):
        assert db.session.scalars(select(AlertHandling)).one().acknowledged_by == "a colleague"
        assert [each.text for each in db.session.scalars(select(TimelineEntry))] == [
            "Acknowledged by a colleague: disk is full.",
            f"Acknowledged by {own}: disk is full.",
        ]
        assert db.session.get_one(Alert, MINE).snoozed_by == "a colleague"
        payload = db.session.scalars(select(Event)).one().payload
        assert payload == told | {"assigned_to": "a colleague"}
    db.session.expunge_all()
    assert db.session.scalars(select(AlertHandling)).one().acknowledged_by == who


def test_nor_of_whom_messages_reached_and_who_had_to_do_with_tickets() -> None:
    who = "anna@acme.example"
    with transaction() as session:
        alert, channel = session.get_one(Alert, MINE), make_channel("ours")
        assert alert.asset is not None
        handling = AlertHandling(alert_id=MINE, occurrence=1, began_at=utc_now())
        session.add_all((handling, channel, Helpdesk(id=1, kind="rt", name="Desk", settings={})))
        session.flush()
        ticket = make_ticket(1, alert.asset, "7")
        ticket.touched_by = who
        session.add(ticket)
        session.flush()
        of = {"handling_id": handling.id, "alert_id": MINE, "occurrence": 1}
        session.add(TicketAlert(ticket_id=ticket.id, linked_by=who, **of))
        message = Message(handling_id=handling.id, channel_id=channel.id, key="one")
        message.reason, message.recipient = MessageReason.RAISED, who
        message.answer = f"{who} was refused."
        session.add(message)
    db.session.expunge_all()
    with limited_to([MINE]):
        message = db.session.scalars(select(Message)).one()
        assert (message.recipient, message.answer) == ("a colleague", "a colleague was refused.")
        assert db.session.scalars(select(Ticket)).one().touched_by == "a colleague"
        assert db.session.scalars(select(TicketAlert)).one().linked_by == "a colleague"


def test_a_row_is_not_got_by_its_id_though_the_session_knows_it() -> None:
    known = db.session.get(Asset, OTHER)
    assert known is not None
    with limited_to([MINE]):
        assert db.session.get(Asset, OTHER) is None
        assert db.session.get(Asset, MINE) is not None
        alert = db.session.scalars(
            select(Alert).options(joinedload(Alert.asset)).execution_options(populate_existing=True)
        ).one()
        assert alert.asset is not None
        assert alert.asset.client.id == MINE


def test_a_change_reaches_the_rows_of_allowed_clients_alone() -> None:
    with limited_to([MINE]), transaction() as session:
        session.execute(update(Asset).values(name="changed"))
    names = {row[0]: row[1] for row in db.session.execute(select(Asset.id, Asset.name))}
    assert names == {MINE: "changed", OTHER: f"pc {OTHER}"}


@pytest.mark.parametrize(
    "change",
    [
        lambda: update(Asset).values(client_id=OTHER),
        lambda: update(Integration).values(base_url="https://evil.example"),
        lambda: update(Delivery).values(body=""),
        lambda: delete(Alert),
        lambda: insert(Client).values(tenant_id=OURS, name="x", name_key="x"),
    ],
)
def test_what_is_not_theirs_to_change_is_refused(change: Callable[[], Any]) -> None:
    with limited_to([MINE]), pytest.raises(ScopeMissing):
        db.session.execute(change(), [{"tenant_id": OURS}] if "INSERT" in str(change()) else None)


def _flush(change: Callable[[], None]) -> None:
    change()
    db.session.flush()


def test_a_row_is_not_given_to_another_client_nor_taken_from_it() -> None:
    mine, theirs = db.session.get_one(Asset, MINE), db.session.get_one(Asset, OTHER)
    for asset, client in ((mine, OTHER), (theirs, MINE)):
        with limited_to([MINE]), pytest.raises(ScopeMissing):
            _flush(lambda: setattr(asset, "client_id", client))  # noqa: B023  # run at once
        db.session.rollback()
    with limited_to([MINE]), pytest.raises(ScopeMissing):
        _flush(lambda: db.session.add(Client(name="new")))


def test_what_is_noted_of_their_doings_is_added() -> None:
    with limited_to([MINE]), transaction() as session:
        session.add(Errand(kind=ErrandKind.ACT_ON_ALERTS, title="Resolve", wanted={}))
    assert db.session.scalar(select(func.count(Errand.id))) == 1


def test_counts_and_words_of_a_run_are_not_read_and_not_lost() -> None:
    run = {"integration_id": OURS, "kind": "devices", "trigger": "button"}
    with transaction() as session:
        session.add(SyncRun(**run, seen=41, error="pc 12 failed", title="pc 12"))
    db.session.remove()
    with limited_to([MINE]), transaction() as session:
        found = session.scalars(select(SyncRun)).one()
        assert (found.seen, found.error, found.title) == (0, None, None)
        found.phase = "seen"
    db.session.remove()
    found = db.session.scalars(select(SyncRun)).one()
    assert (found.seen, found.error, found.phase) == (41, "pc 12 failed", "seen")


# --- The scope --------------------------------------------------------------------------


def test_what_is_found_from_their_rows_is_not_looked_for_again() -> None:
    """Titles here: two, each installed in one of the clients."""
    with transaction() as session:
        for number in (MINE, OTHER):
            session.add(
                SoftwareTitle(id=number, name=f"title {number}", normalized_name=str(number))
            )
            session.flush()
            install = AssetSoftware(id=number, asset_id=number, title_id=number, version="1")
            install.first_seen_at = utc_now()
            session.add(install)
    titles = select(SoftwareTitle.id).order_by(SoftwareTitle.id)
    installed = titles.join(AssetSoftware, AssetSoftware.title_id == SoftwareTitle.id)
    found = found_from(AssetSoftware)
    with limited_to([MINE]):
        for query in (titles, installed):
            assert db.session.scalars(query).all() == [MINE]
        with counting() as run:
            assert db.session.scalars(installed, execution_options=found).all() == [MINE]
        assert "SELECT DISTINCT" not in run[-1]
        with pytest.raises(ScopeMissing):
            db.session.scalars(titles, execution_options=found)
    assert db.session.scalars(titles, execution_options=found).all() == [MINE, OTHER]


def test_found_from_an_alert_a_link_is_still_that_of_a_ticket_of_theirs() -> None:
    """Each of the alerts hangs on the tickets of both clients."""
    with transaction() as session:
        session.add(Helpdesk(id=1, kind="zammad", name="desk"))
        session.flush()
        for number in (MINE, OTHER):
            alert, handling = session.get_one(Alert, number), AlertHandling(id=number)
            handling.alert_id, handling.occurrence, handling.began_at = number, 1, utc_now()
            assert alert.asset is not None
            ticket = make_ticket(1, alert.asset, str(number))
            ticket.id = number
            session.add_all((handling, ticket))
        session.flush()
        for alert_id in (MINE, OTHER):
            for ticket_id in (MINE, OTHER):
                link = TicketAlert(ticket_id=ticket_id, handling_id=alert_id, occurrence=1)
                link.alert_id = alert_id
                session.add(link)
    links = select(TicketAlert.ticket_id).join(Alert, Alert.id == TicketAlert.alert_id)
    handled = select(AlertHandling.id).join(Alert, Alert.id == AlertHandling.alert_id)
    with limited_to([MINE]):
        for query in (links, handled):
            assert db.session.scalars(query).all() == [MINE]
            assert db.session.scalars(query, execution_options=found_from(Alert)).all() == [MINE]
    assert len(db.session.scalars(links).all()) == 4


def test_a_limit_only_narrows_and_ends_with_its_block() -> None:
    with limited_to([MINE, OTHER]):
        with limited_to([MINE, 99]):
            assert allowed_clients() == frozenset({MINE})
        with limited_to(None), tenant_scope(OURS):
            assert allowed_clients() == frozenset({MINE, OTHER})
        with beyond_clients():
            assert allowed_clients() is None
        with limited_to([]):
            assert allowed_clients() == frozenset()
        assert allowed_clients() == frozenset({MINE, OTHER})
    assert allowed_clients() is None


def test_the_limit_of_one_statement_is_not_that_of_the_next() -> None:
    for number in (MINE, OTHER, MINE):
        with limited_to([number]):
            assert db.session.scalars(select(Alert.id)).all() == [number]

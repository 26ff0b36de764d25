"""What needs somebody: each line says since when, and why."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from portal.clock import utc_now
from portal.db import transaction
from portal.models import (
    Alert,
    AlertRule,
    Asset,
    Delivery,
    Helpdesk,
    Integration,
    OrganizationMapping,
    Ticket,
    WebhookInstallation,
)
from portal.models.alerts.alert import AlertSource
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.integrations.integration import IntegrationState, PreviewReason, Stop
from portal.models.tickets.ticket import TicketStatus
from portal.models.webhook.installation import InstallationAction
from portal.scope import tenant_scope
from portal.services.integrations.connect import disconnect
from portal.services.webhook import execution
from tests.web.world import Place, make_asset, make_conflict, make_delivery, make_ticket

pytestmark = pytest.mark.one_database

NEVER_KNOWN = ("more ticket needs somebody",)
"""Nothing tells since when."""
LONG_AGO = utc_now() - timedelta(days=90)


@pytest.fixture
def scope(app: Flask, acme: Place) -> Iterator[Place]:
    with app.app_context(), tenant_scope(acme.id):
        yield acme


def lines_of(admin: FlaskClient, place: Place) -> list[str]:
    page = admin.get(place.url()).text
    [card] = re.findall(r'<section class="card attention".*?</section>', page, re.DOTALL)
    found = re.findall(r"<li .*?</li>", card, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", each)).split()) for each in found]


def assert_dated(lines: list[str]) -> None:
    for line in lines:
        has_time = re.search(r"\d\d:\d\d UTC", line)
        assert has_time or any(words in line for words in NEVER_KNOWN), line


def test_each_line_says_since_when_and_why(admin: FlaskClient, scope: Place) -> None:
    with transaction() as session:
        asset, desk = session.get_one(Asset, scope.asset), session.get_one(Helpdesk, scope.helpdesk)
        desk.failing_since, desk.failures = LONG_AGO, 3
        desk.last_error = "The token was refused."
        session.execute(update(AlertRule).values(switched_on_at=None))
        for status in (DeliveryStatus.FAILED, DeliveryStatus.FAILED, DeliveryStatus.NEEDS_REVIEW):
            delivery = make_delivery(asset)
            delivery.status, delivery.reason = status, f"This is why it is {status}."
            session.add(delivery)
        other = make_asset(asset.integration_id, asset.client_id, "gone")
        other.missing_since, other.absent_runs = LONG_AGO, 9
        asset.agent_status, asset.last_seen_at = "overdue", utc_now()
        alert = session.get_one(Alert, scope.alert)
        alert.hostname, alert.message = "acme-pc", "The disk is full"
        session.add(other)
        session.flush()
        session.add(make_conflict(asset, other, "clone"))
        for number in range(4):
            ticket: Ticket = make_ticket(desk.id, asset, f"9{number}")
            ticket.status, ticket.last_error = TicketStatus.FAILED, "It said no."
            session.add(ticket)
        its = session.scalars(select(Integration)).one()
        its.preview_due, its.preview_due_at = PreviewReason.NEW_SOURCE, utc_now()
        its.last_error, its.last_error_at = "Tactical said 500.", utc_now()
        same = {"integration_id": its.id, "external_organization_name": "New"}
        session.add(OrganizationMapping(**same, external_organization_id="8"))
        gone = OrganizationMapping(**same, external_organization_id="9", client_id=scope.client)
        gone.held_since = LONG_AGO
        session.add(gone)
    lines = lines_of(admin, scope)
    assert_dated(lines)
    said = "\n".join(lines)
    for words in (
        "Acme Desk does not take tickets. The token was refused. Since",
        "Tactical said 500. Since",
        "2 webhook calls could not be processed. This is why it is failed. The first since",
        "1 webhook call could not be read. This is why it is needs_review. Since",
        "1 conflict needs your decision. acme-pc may be a computer that is known already. Since",
        "Tactical no longer lists 1 organization.",
        "1 organization has no client. Its agents become assets once you map it. Since",
        "The inventory source was changed.",
        "1 asset has not been in Tactical for 30 days. Nothing is retired until somebody agrees. S",
        "1 active alert has the severity error. acme-pc: The disk is full. Since",
        "1 asset is overdue. Tactical has not heard from it for longer than its limit. Since",
        "1 software watch matches now. It is for Acme Suite. Since",
        "Ticket 93 in Acme Desk has failed since",
        "1 more ticket needs somebody.",
        "No rule is switched on: nobody is told of alerts. Since",
    ):
        assert words in said, words
    with transaction() as session:
        desk = Helpdesk(kind="rt", name="Later", settings={}, failing_since=utc_now())
        session.add(desk)
    assert any(
        line.startswith("Acme Desk and 1 more helpdesk do not take tickets. The token was refused.")
        for line in lines_of(admin, scope)
    )


def test_an_unreached_webhook_says_what_tactical_got_instead(
    admin: FlaskClient, scope: Place
) -> None:
    with transaction() as session:
        session.execute(delete(Delivery))
        session.execute(update(Alert).values(source=AlertSource.BACKFILL))
        session.add(
            WebhookInstallation(
                integration_id=session.scalars(select(Integration.id)).one(),
                action=InstallationAction.TEST,
                made={},
                ok=False,
                fault=execution.TestNotArrived.fault,
                message="Tactical got 502 from the proxy.",
                finished_at=utc_now(),
            )
        )
    lines = lines_of(admin, scope)
    said = "does not reach the portal. Tactical got 502 from the proxy. Since"
    assert any(said in line for line in lines), lines


def test_without_a_rule_it_says_since_when(admin: FlaskClient, scope: Place) -> None:
    def moment() -> str:
        [line] = [each for each in lines_of(admin, scope) if "No rule is switched on" in each]
        return line.partition("Since ")[2]

    with transaction() as session:
        session.execute(update(Integration).values(created_at=LONG_AGO))
        session.execute(update(AlertRule).values(switched_on_at=None))
    connected = moment()
    assert connected
    with transaction() as session:
        session.execute(update(AlertRule).values(switched_on_at=LONG_AGO))
    admin.post(scope.url(f"rules/{scope.rule}/switch"), data={"on": ""})
    assert moment() not in ("", connected), "since it was switched off"


def test_so_does_a_connection_that_is_not_in_use(admin: FlaskClient, scope: Place) -> None:
    for changes, words in (
        ({"stopped_for": Stop.WRONG_KEY, "stopped_at": LONG_AGO}, "refuses the credentials. Since"),
        ({"state": IntegrationState.HELD, "tested_at": LONG_AGO}, "may be a different one. It"),
        ({"state": IntegrationState.UNTESTED}, "has not passed a test. Until then"),
    ):
        with transaction() as session:
            session.execute(update(Integration).values(**changes))
        lines = lines_of(admin, scope)
        assert_dated(lines)
        assert any(words in line for line in lines), words
    disconnect()
    lines = lines_of(admin, scope)
    assert_dated(lines)
    assert any("is disconnected. The portal reads nothing from it. Since" in each for each in lines)

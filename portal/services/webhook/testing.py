"""Tactical's own test of a URL action, sent to the portal, and whether it arrived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from portal.db import db, release
from portal.models import Asset, Delivery, Integration, OrganizationMapping
from portal.services.webhook.plan import placeholder
from portal.services.webhook.records import Made, Piece
from portal.tactical.errors import ServerError
from portal.tactical.installation import Rendering, TacticalInstallation
from portal.tactical.reading.text import clean_text
from portal.tactical.webhook import FAILURE_BODY, headers_text

MOST_OF_AN_ANSWER = 300


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What came of a test. `delivery_id` is None when it did not arrive."""

    message: str
    delivery_id: int | None = None


def send_test(
    tactical: TacticalInstallation, integration: Integration, url: str, secret: str, made: Made
) -> TestOutcome:
    """Let Tactical send a test with the headers that were installed.

    Tactical renders it against an agent or a client; without either it fills in nothing,
    not even the key store's value, and then the secret itself is sent.
    """
    integration_id = integration.id
    answer = ""
    for rendering in list(_renderings(integration)):
        release()
        key = made.records.get(Piece.KEY)
        sent = placeholder(key.name) if key is not None and rendering.key is not None else secret
        try:
            answer = tactical.run_test(url, FAILURE_BODY, headers_text(sent), rendering)
            break
        except ServerError:
            if rendering.key is None:
                raise
            # It does not have this agent or client any more: the next one, then.
    return _read_answer(answer, integration_id)


def _renderings(integration: Integration) -> Iterator[Rendering]:
    agent_id = db.session.scalar(
        select(Asset.rmm_device_id)
        .where(
            Asset.integration_id == integration.id,
            Asset.last_seen_at.is_not(None),
            Asset.missing_since.is_(None),
        )
        .order_by(Asset.status_at.desc(), Asset.id)
        .limit(1)
    )
    if agent_id:
        yield Rendering("agent", agent_id)
    organization = db.session.scalar(
        select(OrganizationMapping.external_organization_id)
        .where(
            OrganizationMapping.integration_id == integration.id,
            OrganizationMapping.gone_since.is_(None),
        )
        .order_by(OrganizationMapping.id)
        .limit(1)
    )
    if organization and organization.isdigit():
        yield Rendering("client", int(organization))
    yield Rendering("none", None)


def _read_answer(answer: str, integration_id: int) -> TestOutcome:
    """Tactical shows only the text of what it got; the portal's own names the delivery."""
    try:
        reply = json.loads(answer)
    except ValueError:
        reply = None
    number = reply.get("delivery") if isinstance(reply, dict) else None
    if isinstance(number, int) and _is_ours(number, integration_id):
        return TestOutcome("Tactical's test call arrived.", number)
    message = reply.get("message") if isinstance(reply, dict) else answer
    text = clean_text(message)[:MOST_OF_AN_ANSWER] or "nothing"
    return TestOutcome(f"Tactical's test did not arrive. Tactical received this instead: {text}")


def _is_ours(delivery_id: int, integration_id: int) -> bool:
    return 0 < delivery_id < 2**63 and (
        db.session.scalar(
            select(Delivery.id).where(
                Delivery.id == delivery_id, Delivery.integration_id == integration_id
            )
        )
        is not None
    )

"""What far sides are told of an alert, whatever they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from portal.channels import AlertFacts
from portal.clock import utc_now
from portal.config import Settings
from portal.db import db
from portal.models import Alert, Tenant
from portal.scope import get_tenant_id
from portal.services.rules.subjects import load_subjects
from portal.services.rules.terms import Subject

EXAMPLE = AlertFacts(
    hostname="SRV-01",
    client="Contoso",
    site="Berlin",
    kind="availability",
    message="SRV-01 is overdue.",
    asset_type="server",
    began=datetime(2026, 1, 1, tzinfo=UTC),
    acknowledge_url="https://…",
    url="https://…",
)
"""For who has no alert yet."""


def to_facts(subject: Subject, **more: Any) -> AlertFacts:
    """`more`: what the subject does not know, or what is to be said otherwise."""
    known: dict[str, Any] = {
        "hostname": subject.hostname or "",
        "client": subject.client or subject.organization or "",
        "site": subject.site or "",
        "severity": subject.severity,
        "kind": subject.kind,
        "message": subject.message,
        "system": subject.system or "",
        "asset_type": subject.asset_type or "",
        "began": subject.began_at,
        "occurrence": subject.occurrence,
    }
    return AlertFacts(**known | more)


def make_address(tenant: Tenant) -> str:
    """Below which the tenant's pages are."""
    settings: Settings = current_app.extensions["settings"]
    return f"{settings.address}/t/{tenant.slug}"


def load_example() -> AlertFacts:
    """Of the newest alert, for a preview."""
    query = select(Alert.id).order_by(Alert.triggered_at.desc(), Alert.id.desc()).limit(1)
    alert_id = db.session.scalar(query)
    found = load_subjects(db.session(), [alert_id] if alert_id is not None else [])
    if alert_id not in found:
        return replace(EXAMPLE, began=utc_now())
    address = make_address(db.session.get_one(Tenant, get_tenant_id()))
    subject = found[alert_id]
    return to_facts(
        subject,
        over=subject.over_at,
        url=f"{address}/alerts/{alert_id}",
        acknowledge_url="https://…",
    )

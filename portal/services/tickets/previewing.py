"""What a ticket would say, before there is one."""

from __future__ import annotations

from dataclasses import replace

from portal.db import db
from portal.models import Tenant
from portal.scope import get_tenant_id
from portal.services.handling.alert_facts import load_example, make_address, to_facts
from portal.services.rules.terms import Subject, TicketStep
from portal.services.tickets.ordering import find_asset_url
from portal.services.tickets.wording import write_ticket

ASSET_URL = "https://…"
"""Of an example."""


def preview_ticket(
    step: TicketStep, subject: Subject | None, *, rule: str, urgency: str
) -> tuple[str, str]:
    """Subject and text of one that is opened for this alert; for an example where there is none."""
    if subject is None:
        example = replace(load_example(), urgency=urgency, rule=rule)
        return write_ticket(step, example, ASSET_URL)
    address = make_address(db.session.get_one(Tenant, get_tenant_id()))
    url = f"{address}/alerts/{subject.alert_id}"
    alert = to_facts(subject, over=subject.over_at, urgency=urgency, rule=rule, url=url)
    return write_ticket(step, alert, find_asset_url(subject, address))

"""What a rule, or a person, orders of a helpdesk about one occurrence of an alert. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.channels import AlertFacts
from portal.models import AlertHandling
from portal.services.handling.alert_facts import to_facts
from portal.services.rules.terms import Subject, TicketStep
from portal.services.tickets.outages import name_outage
from portal.services.tickets.wording import say_raised, write_ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOrder:
    """`values`: columns of the ticket, should there be none yet. `line`: for one that is there.
    `customer_id` is empty where the mapping says it."""

    helpdesk_id: int
    outage: str
    values: dict[str, Any]
    line: str


def make_order(
    step: TicketStep,
    handling: AlertHandling,
    subject: Subject,
    address: str,
    *,
    rule: str,
    urgency: str,
) -> TicketOrder:
    alert = describe(handling, subject, address, rule=rule, urgency=urgency)
    asset_url = find_asset_url(subject, address)
    title, body = write_ticket(step, alert, asset_url)
    return TicketOrder(
        helpdesk_id=step.helpdesk,
        outage=name_outage(subject, step.per),
        line=say_raised(alert, is_again=step.per == "check" or handling.occurrence > 1),
        values={
            "client_id": subject.client_id,
            "asset_id": subject.asset_id if step.per != "client" else None,
            "queue": step.queue,
            "customer_id": step.customer,
            "priority": step.priority,
            "urgency": urgency,
            "subject": title,
            "body": body,
            "page": asset_url or alert.url,
        },
    )


def find_asset_url(subject: Subject, address: str) -> str:
    """Empty where the alert has no asset."""
    return f"{address}/assets/{subject.asset_id}" if subject.asset_id is not None else ""


def describe(
    handling: AlertHandling, subject: Subject, address: str, *, rule: str, urgency: str
) -> AlertFacts:
    return to_facts(
        subject,
        began=handling.began_at,
        over=handling.over_at,
        occurrence=handling.occurrence,
        urgency=urgency,
        rule=rule,
        url=f"{address}/alerts/{handling.alert_id}",
    )

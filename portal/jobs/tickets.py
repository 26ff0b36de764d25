from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.tickets import doing, polling


def do_tickets(tenant_id: int, helpdesk_id: int) -> None:
    with job_context(tenant_id):
        doing.do_tickets(helpdesk_id)


def poll_tickets(tenant_id: int, helpdesk_id: int) -> None:
    with job_context(tenant_id):
        polling.poll_tickets(helpdesk_id)

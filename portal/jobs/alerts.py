from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.handling import deciding, sending


def handle_alerts(tenant_id: int) -> None:
    with job_context(tenant_id):
        deciding.handle_due()


def send_messages(tenant_id: int, channel_id: int) -> None:
    with job_context(tenant_id):
        sending.send_messages(channel_id)

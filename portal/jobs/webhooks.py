from __future__ import annotations

from portal.jobs.context import job_context
from portal.services import deliveries


def process_deliveries(tenant_id: int) -> None:
    with job_context(tenant_id):
        deliveries.process_due()

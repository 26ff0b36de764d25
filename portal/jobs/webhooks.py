from __future__ import annotations

from portal.jobs.context import job_context
from portal.services import deliveries, delivery_history


def process_deliveries(tenant_id: int) -> None:
    with job_context(tenant_id):
        deliveries.process_due()


def prune_deliveries(tenant_id: int, integration_id: int) -> None:
    with job_context(tenant_id):
        delivery_history.prune_deliveries(integration_id)

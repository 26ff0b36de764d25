from __future__ import annotations

from portal.jobs.context import job_context
from portal.services import deliveries, delivery_history, webhook_installation


def process_deliveries(tenant_id: int) -> None:
    with job_context(tenant_id):
        deliveries.process_turn()


def prune_deliveries(tenant_id: int, integration_id: int) -> None:
    with job_context(tenant_id):
        delivery_history.prune_deliveries(integration_id)


def install_webhook(tenant_id: int, installation_id: int) -> None:
    with job_context(tenant_id):
        webhook_installation.run_queued(installation_id)

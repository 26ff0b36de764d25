from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.deliveries import history, processing
from portal.services.webhook import installation


def process_deliveries(tenant_id: int) -> None:
    with job_context(tenant_id):
        processing.process_turn()


def prune_deliveries(tenant_id: int, integration_id: int) -> None:
    with job_context(tenant_id):
        history.prune_deliveries(integration_id)


def install_webhook(tenant_id: int, installation_id: int) -> None:
    with job_context(tenant_id):
        installation.run_queued(installation_id)

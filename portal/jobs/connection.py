from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.integrations import keep_alive as keeping_alive
from portal.services.integrations import sign_outs, testing


def test_connection(tenant_id: int, test_id: int) -> None:
    with job_context(tenant_id):
        testing.run_queued(test_id)


def keep_alive(tenant_id: int, integration_id: int) -> None:
    with job_context(tenant_id):
        keeping_alive.keep_alive(integration_id)


def sign_out(tenant_id: int) -> None:
    with job_context(tenant_id):
        sign_outs.sign_out_due()

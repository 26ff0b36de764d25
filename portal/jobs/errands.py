from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.errands import execution


def do_errand(tenant_id: int, errand_id: int) -> None:
    with job_context(tenant_id):
        execution.run_queued(errand_id)

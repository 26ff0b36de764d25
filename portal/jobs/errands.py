from __future__ import annotations

from portal.jobs.context import job_context
from portal.services import errand_runs


def do_errand(tenant_id: int, errand_id: int) -> None:
    with job_context(tenant_id):
        errand_runs.run_queued(errand_id)

from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.assets import nightly_counts


def count_days(tenant_id: int, integration_id: int) -> None:
    with job_context(tenant_id):
        nightly_counts.count_days(integration_id)

from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.events import activity, delivery
from portal.services.handling import retention


def deliver_events(tenant_id: int, subscriber_id: int) -> None:
    with job_context(tenant_id):
        delivery.deliver_events(subscriber_id)


def prune_events(tenant_id: int, _integration_id: int) -> None:
    with job_context(tenant_id):
        activity.prune_events()
        retention.prune_told()

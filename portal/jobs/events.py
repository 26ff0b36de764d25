from __future__ import annotations

from portal.jobs.context import job_context
from portal.services import activity, event_delivery


def deliver_events(tenant_id: int, subscriber_id: int) -> None:
    with job_context(tenant_id):
        event_delivery.deliver_events(subscriber_id)


def prune_events(tenant_id: int, _integration_id: int) -> None:
    with job_context(tenant_id):
        activity.prune_events()

"""Activity: what happened, the newest first."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.models.events.event import ORDINARY
from portal.services.accounts.permissions import Permission
from portal.services.events import activity as activity_service
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import requires, tenant_blueprint
from portal.web.saved_views.look import list_context

activity = tenant_blueprint("activity", __name__, "/activity")


@activity.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    kind, q = words("type"), words("q")
    page = activity_service.list_events(kind, q, page_number())
    return page_or_region(
        "activity/list.html",
        {"event-rows": "activity/_rows.html"},
        **list_context("activity"),
        page=page,
        filters={"type": kind, "q": q},
        types=ORDINARY,
        any_events=page.total > 0 or activity_service.any_events(),
        kept_days=activity_service.EVENTS_KEPT_FOR.days,
    )

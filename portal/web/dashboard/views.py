"""The dashboard: what needs somebody, what came about, what stands, and how fresh it is."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.scope import allowed_clients
from portal.services.accounts.permissions import Permission
from portal.services.dashboard.overview import get_overview
from portal.services.database_role import get_role_warning
from portal.services.oidc.entrance import find_recent_entry
from portal.services.organizations.listing import OrganizationFilter
from portal.web.caller import is_behind_unknown_proxy
from portal.web.dashboard import pictures
from portal.web.dashboard.attention import list_attention, list_of_clients
from portal.web.fragments import page_or_region
from portal.web.guard import get_tenant, requires, tenant_blueprint

dashboard = tenant_blueprint("dashboard", __name__)


@dashboard.get("/")
@requires(Permission.READ)
def show() -> ResponseReturnValue:
    overview, is_limited = get_overview(), allowed_clients() is not None
    fleet, organizations = overview.fleet, overview.organizations
    return page_or_region(
        "dashboard.html",
        {"overview": "dashboard/_overview.html"},
        integration=overview.integration,
        attention=list_of_clients(overview) if is_limited else list_attention(overview),
        fleet=fleet,
        statuses=pictures.draw_statuses(overview.days),
        alerts=pictures.draw_alerts(overview.days),
        unacknowledged=overview.unacknowledged_alerts,
        worst=[(client, pictures.list_reasons(client)) for client in fleet.worst_clients],
        systems=pictures.list_systems(fleet.systems),
        versions=pictures.list_versions(fleet.agent_versions),
        upkeep=pictures.list_upkeep(
            fleet, None if is_limited else organizations[OrganizationFilter.UNMAPPED]
        ),
        freshness=overview.freshness,
        client_count=overview.clients,
        last_read_at=overview.last_read_at,
        run=overview.active_run,
        unknown_proxy=is_behind_unknown_proxy(),
        role_warning=get_role_warning(),
        entry=find_recent_entry() if get_tenant().sso_since else None,
    )

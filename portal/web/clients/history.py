"""All that became of the assets of one client."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.services.accounts.permissions import Permission
from portal.services.client_overview import list_client_history
from portal.services.clients import get_client
from portal.web.clients.views import clients
from portal.web.fragments import page_number, page_or_region
from portal.web.guard import requires


@clients.get("/<int:client_id>/history")
@requires(Permission.READ)
def history(client_id: int) -> ResponseReturnValue:
    return page_or_region(
        "clients/history.html",
        {"client-history": "clients/_history.html"},
        client=get_client(client_id),
        page=list_client_history(client_id, page_number()),
    )

"""The software of one client."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.services.accounts.permissions import Permission
from portal.services.clients import get_client
from portal.services.lists.paging import paginate_list
from portal.services.software.of_client import LOOKED_AT, list_old_products, list_own_products
from portal.web.clients.views import clients
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import requires

MOST = 25
"""Of each of the two lists, where both are shown."""
BEHIND, OWN = "behind", "own"


@clients.get("/<int:client_id>/software")
@requires(Permission.READ)
def software(client_id: int) -> ResponseReturnValue:
    """What is behind the newest version, and what no other client has; one of them as a whole."""
    client, show = get_client(client_id), words("show")
    behind = own = None
    compared_all = True
    if show != OWN:
        old = list_old_products(client_id)
        behind, compared_all = paginate_list(old.products, page_number()), old.is_all
    if show != BEHIND:
        own = list_own_products(client_id, page_number() if show == OWN else 1)
    return page_or_region(
        "clients/software.html",
        {"client-software": "clients/_software.html"},
        client=client,
        is_whole=show in (BEHIND, OWN),
        most=MOST,
        behind=behind,
        compared=None if compared_all else LOOKED_AT,
        own=own,
    )

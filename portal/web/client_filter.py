"""What the client picker sends: as the filter of a list, and as a field of a form."""

from __future__ import annotations

from flask import request

from portal.errors import NotFound
from portal.models import Client
from portal.services.clients import find_client_by_name, get_client
from portal.web.fragments import Query, words
from portal.web.input import to_id

NO_CLIENT = -1
"""A name that is no client: the list shows nothing rather than everything."""


def read_client_id(query: Query | None = None) -> int | None:
    """None for all clients. A browser without scripts sends the name. `query`: instead of the
    address's own. Raises NotFound."""
    text, name = words("client_id", query), words("client_name", query)
    try:
        if text:
            return to_id(text)
    except ValueError:
        raise NotFound("This client does not exist. Choose one from the list of clients.") from None
    client = find_client_by_name(name) if name else None
    return client.id if client else NO_CLIENT if name else None


def find_shown_client(client_id: int | None) -> Client | None:
    """To be named in the picker. Raises NotFound."""
    return get_client(client_id) if client_id and client_id != NO_CLIENT else None


def read_choice() -> tuple[str, str]:
    """Of a form: the id that was picked, and the name, which a browser without scripts sends alone.
    Both empty for no client."""
    return request.form.get("client_id", ""), request.form.get("client_name", "").strip()


def find_chosen_client() -> Client | None:
    """Of a form. None where it names none that there is. Raises NotFound for the id of none."""
    sent, name = read_choice()
    try:
        return get_client(to_id(sent)) if sent else find_client_by_name(name)
    except ValueError:
        return None

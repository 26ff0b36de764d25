"""What helpdesks call their queues, customers and priorities: offered in forms, and read back."""

from __future__ import annotations

from collections.abc import Mapping

from flask_wtf import FlaskForm

from portal.scope import allowed_clients
from portal.services.helpdesks.choosing import read_all_choices, read_choices
from portal.services.helpdesks.listing import list_names
from portal.services.helpdesks.probing import Lists

LISTS = {"queue": Lists.QUEUES, "customer": Lists.CUSTOMERS, "priority": Lists.PRIORITIES}
"""What is chosen from the helpdesk's lists: the fields of forms are called `ticket_` and this."""


def offer_lists() -> Mapping[str, list[tuple[str, str]]]:
    """What can be typed into each field, with the name of the helpdesk. Whoever is limited to some
    clients does not learn who else is a customer."""
    names, known = list_names(), read_all_choices()
    hidden = {"customer"} if allowed_clients() is not None else set()
    return {
        name: [
            (label, helpdesk)
            for helpdesk_id, helpdesk in names.items()
            for label in known[helpdesk_id][which].labels.values()
            if name not in hidden
        ]
        for name, which in LISTS.items()
    }


def read_chosen(form: FlaskForm, helpdesk_id: int) -> dict[str, str]:
    """The ids of what was chosen or typed."""
    typed = {name: (form[f"ticket_{name}"].data or "").strip() for name in LISTS}
    return {
        name: read_choices(helpdesk_id, LISTS[name]).find(text).id if text else ""
        for name, text in typed.items()
    }

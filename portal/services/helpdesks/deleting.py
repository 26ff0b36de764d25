"""Helpdesks are deleted, with all that the portal knows of their tickets."""

from __future__ import annotations

from portal.db import transaction
from portal.errors import Refused
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.helpdesks.changing import describe, get_target, hold
from portal.services.helpdesks.listing import get_row
from portal.services.tickets.dropping import DELETED, drop_waiting
from portal.vault import forget_secrets
from portal.wording import join_words


def delete_helpdesk(helpdesk_id: int) -> str:
    """Its name. The tickets stay as they are there, and are forgotten here. Raises Refused while
    a rule opens tickets in it, and NotFound."""
    with transaction() as session:
        helpdesk = hold(session, helpdesk_id)
        row, name = get_row(helpdesk_id), helpdesk.name
        if row.rules:
            raise Refused(
                f"{join_words(row.rules)} {'opens' if len(row.rules) == 1 else 'open'} tickets in "
                "this helpdesk. Choose another one there first."
            )
        after = {"tickets_forgotten": sum(row.tickets.values()) or None}
        record(Action.HELPDESK_DELETED, get_target(helpdesk), describe(helpdesk), after)
        drop_waiting(session, helpdesk, DELETED)
        forget_secrets(session, helpdesk)
        session.delete(helpdesk)
    return name

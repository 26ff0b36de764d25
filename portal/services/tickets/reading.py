"""Reading a ticket whose number a person typed."""

from __future__ import annotations

from portal.db import release
from portal.errors import InvalidInput, Refused
from portal.helpdesks.carefully import read_one
from portal.helpdesks.kind import HelpdeskError, Remote, State
from portal.services.helpdesks.listing import get_helpdesk
from portal.services.helpdesks.reaching import make_way


def read_typed(helpdesk_id: int, reference: str) -> Remote:
    """As the helpdesk has it; where it tells nothing, as the person says. Raises InvalidInput where
    there is none, Refused with what the helpdesk said, and NotFound."""
    way = make_way(get_helpdesk(helpdesk_id))
    release()  # no transaction waits for somebody else's server
    if way is None or not way.can_close:
        return Remote(reference=reference)
    try:
        remote = read_one(way.connect(), reference)
    except HelpdeskError as error:
        raise Refused(error.message) from error
    if remote.state is State.GONE and remote.merged_into:
        text = f"Ticket {reference} was merged into {remote.merged_into}. Enter that number."
        raise InvalidInput(text, field="reference")
    if remote.state is State.GONE:
        text = f"There is no ticket {reference}, or the portal’s account cannot see it."
        raise InvalidInput(text, field="reference")
    return remote

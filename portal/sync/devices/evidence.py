"""What a listing of the fleet proves of agents that it lacks.

Only a complete one does, in which every record can be read, made as the last one was: with other
credentials, from another source or of another server, other agents are listed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from portal.db import release
from portal.models import Integration
from portal.vault import list_change_times

_CREDENTIALS = {"api_key", "password"}
UNREADABLE = (
    "Some records could not be read, and each may be of an agent that seems to be gone. No asset "
    "was marked as missing."
)
MADE_OTHERWISE = (
    "The server, the source or the credentials are not those of the last complete sync, so that "
    "other agents may be listed. No asset was marked as missing; the next sync can do that."
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing of the whole fleet that is over."""

    made_as: str
    """As `identify_listing` has it."""
    is_complete: bool
    """No agent is left out, by a limited role, a changing list or an empty answer."""
    doubt: str | None
    """Why it proves nothing all the same, as a sentence."""
    is_restricted: bool | None = None

    @property
    def is_evidence(self) -> bool:
        return self.is_complete and self.doubt is None


def identify_listing(integration: Integration, source: str) -> str:
    """Of what server, with what credentials and from where: alike for listings that can be
    compared."""
    stored = list_change_times(integration)
    release()
    kept = {field: str(stored[field]) for field in sorted(stored) if field in _CREDENTIALS}
    made_as = [integration.base_url, integration.auth_mode, integration.username, source, kept]
    return hashlib.sha256(json.dumps(made_as).encode()).hexdigest()


def find_doubt(integration: Integration, made_as: str, run_id: int, unreadable: int) -> str | None:
    """Why the absence of an agent from this listing proves nothing; None where it does.

    A run that lost its process after its listing was noted has done all that followed from it.
    """
    if unreadable:
        return UNREADABLE
    if integration.listed_as != made_as or integration.listed_run_id == run_id:
        return MADE_OTHERWISE
    return None

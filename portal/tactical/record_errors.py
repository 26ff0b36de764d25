"""Errors of one record, and how they differ from those of the connection."""

from __future__ import annotations

from portal.errors import PortalError
from portal.tactical.errors import (
    MissingPermission,
    NotFoundInTactical,
    RequestRefused,
    ServerError,
    TacticalError,
    UnexpectedAnswer,
)


class UnusableRecord(TacticalError):
    """Tactical answered for one record, but with what is none."""

    retryable = True
    fault = "unusable_record"
    wording = "Tactical returned a record that the portal cannot use. {detail}"


class BrokenAgent(ServerError):
    fault = "broken_agent"
    wording = (
        "Tactical reports an internal error ({detail}) whenever it is asked for this agent. "
        "Usually the agent has not reported its network adapters: restart the Tactical agent on "
        "that computer."
    )


def may_be_of_record(error: PortalError) -> bool:
    """Whether this answer to a question about one record may say nothing about any other.

    A permission may be limited to some clients, and one record that Tactical cannot handle makes
    it crash. An HTML 404 is another server's, and a 502 that of what stands in front of Tactical.
    """
    if isinstance(error, NotFoundInTactical):
        return not error.is_html
    if isinstance(error, ServerError):
        return error.is_crash
    return isinstance(error, UnusableRecord | MissingPermission | RequestRefused | UnexpectedAnswer)

"""The audit trail, for tokens that were made for it."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from portal.api import schemas
from portal.api.answers import answer_list, answer_one, page_url
from portal.api.authentication import opened_by
from portal.api.document import Room
from portal.api.fields import ListArguments, one_of, search
from portal.services.api import lists
from portal.services.api.tokens import Scope
from portal.services.audit.actions import Action
from portal.services.audit.listing import MOST_DAYS, TARGET_KINDS, AuditFilter, list_action_groups

audit = Room("audit", __name__, "Who did what. Needs a token with the scope `audit`.")


class AuditArguments(ListArguments):
    who = search("A part of the name of who did it.")
    what = one_of((*Action, *list_action_groups()), "An action, or its first word.")
    target = one_of(TARGET_KINDS, "The kind of what it was done to.")
    days = fields.Integer(
        validate=validate.Range(1, MOST_DAYS, error="Choose a number from {min} to {max}."),
        metadata={"description": "Only the last days."},
    )
    q = search("Words that must all be found.")


@audit.lists("/audit", schemas.AuditRow, AuditArguments)
@opened_by(Scope.AUDIT)
def list_audit(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List rows of the audit trail, the newest first. Needs the scope `audit`."""
    wanted = AuditFilter(
        who=arguments.get("who", ""),
        what=arguments.get("what", ""),
        target=arguments.get("target", ""),
        days=arguments.get("days", 0),
        search=arguments.get("q", ""),
    )
    add_url = page_url("audit.show", "number", "number")
    return answer_list(arguments, lambda part: lists.list_audit(wanted, part), add_url)


@audit.shows("/audit/<int:number>", schemas.AuditRow)
@opened_by(Scope.AUDIT)
def show_audit(number: int) -> ResponseReturnValue:
    """Show a row of the audit trail. Needs the scope `audit`."""
    return answer_one(lists.read_audit(number), page_url("audit.show", "number", "number"))

"""Notices: what needs, or needed, a person: the portal itself, and software that is watched for."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from portal.api.answers import answer_list, list_url
from portal.api.document import Room
from portal.api.fields import ListArguments, Record, moment, one_of, page_address, row_id, text
from portal.services.notices.listing import NoticeFilter, list_part

notices = Room("notices", __name__, "What needs, or needed, a person.")


class Notice(Record):
    id = row_id("Its number.")
    kind = text("Such as `connection_lost` or `webhook_silent`.")
    subject = text("Which one of its kind, such as the number of a channel.", nullable=True)
    title = text("What is the matter, in a few words.")
    text = text("What is wrong and what to do, as sentences.")
    began_at = moment("Since when.")
    ended_at = moment("When it was over.", nullable=True)
    url = page_address()


class NoticeArguments(ListArguments):
    show = one_of([each for each in NoticeFilter if each], "Without it, all.")


@notices.lists("/notices", Notice, NoticeArguments)
def list_notices(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List notices, the newest first."""
    shown = NoticeFilter(arguments.get("show", ""))
    add_url = list_url("notices.index", "_anchor", "id")
    return answer_list(arguments, lambda part: list_part(shown, part), add_url)

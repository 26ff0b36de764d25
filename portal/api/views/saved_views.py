"""Views of lists that are everybody's."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from portal.api.answers import answer_list, page_url
from portal.api.document import Room
from portal.api.fields import ListArguments, Record, moment, one_of, page_address, row_id, text
from portal.services.saved_views.listing import list_part
from portal.services.saved_views.lists import OF_EVERYBODY

saved_views = Room("saved_views", __name__, "Names for filters of lists.")


class SavedView(Record):
    id = row_id("Its number.")
    list = one_of(OF_EVERYBODY, "The list that it is of.")
    name = text("What people call it.")
    query = text("Filters, order and columns, as the list's address has them.")
    created_at = moment("When it was saved.")
    url = page_address()


class SavedViewArguments(ListArguments):
    list = one_of(OF_EVERYBODY, "Those of a list.")


@saved_views.lists("/views", SavedView, SavedViewArguments)
def list_views(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List the views that everybody in the tenant has, the newest first."""
    add_url = page_url("saved_views.show", "view_id")
    return answer_list(arguments, lambda part: list_part(arguments.get("list", ""), part), add_url)

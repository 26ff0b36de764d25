"""The clients and the customers that they are in a helpdesk, as people look at them."""

from __future__ import annotations

from dataclasses import dataclass

from portal.helpdesks.kind import Choice
from portal.services.accounts.limits import list_choices
from portal.services.helpdesks.choosing import Choices, read_choices
from portal.services.helpdesks.customers import list_mapped
from portal.services.helpdesks.probing import Lists
from portal.services.lists.paging import PAGE_SIZE, Page
from portal.services.suggesting import suggest_same


@dataclass(frozen=True, slots=True)
class ClientRow:
    """`suggested`: for one that is not mapped, the customer that surely is the same."""

    id: int
    name: str
    customer: Choice | None
    suggested: Choice | None


@dataclass(frozen=True, slots=True)
class MappingView:
    page: Page[ClientRow]
    choices: Choices
    clients: int
    unmapped: int


def view_mapping(helpdesk_id: int, *, unmapped_only: bool = False, number: int = 1) -> MappingView:
    """By the name of the client. Raises NotFound."""
    mapped, clients = list_mapped(helpdesk_id), list_choices()
    choices = read_choices(helpdesk_id, Lists.CUSTOMERS)
    customers = {each.id: each for each in choices.listed}
    found = suggest_same(dict(clients), {each.id: each.name for each in choices.listed})
    suggested = {id: customers[each.key] for id, each in found.items() if each.is_sure}
    rows = [
        ClientRow(id, name, mapped.get(id), None if id in mapped else suggested.get(id))
        for id, name in clients
    ]
    unmapped = [row for row in rows if row.customer is None]
    shown = unmapped if unmapped_only else rows
    last = max(1, -(-len(shown) // PAGE_SIZE))
    number = min(max(number, 1), last)
    part = shown[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return MappingView(Page(part, number, len(shown)), choices, len(rows), len(unmapped))

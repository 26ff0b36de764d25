"""The step that opens a ticket: between the form and the rule, and what it would come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from portal.errors import InvalidInput
from portal.services.helpdesks.choosing import read_choices
from portal.services.helpdesks.listing import list_names
from portal.services.rules.changes import Draft
from portal.services.rules.terms import Of, TicketStep
from portal.services.rules.trial import Trial
from portal.services.tickets.previewing import preview_ticket
from portal.web.forms import SelectChoice
from portal.web.helpdesks.lists import LISTS, offer_lists, read_chosen
from portal.web.input import to_id
from portal.web.rules.forms import RuleForm


@dataclass(frozen=True, slots=True)
class Preview:
    """Of the ticket for the newest alert that matched, or for an example where none did.
    `unlisted`: what of the step the helpdesk did not name when it was last asked, as `queue
    Supprot`."""

    helpdesk: str
    subject: str
    body: str
    unlisted: list[str]
    is_example: bool


def fill_ticket(step: TicketStep) -> dict[str, str]:
    """The values of the form's fields."""
    chosen = {
        name: read_choices(step.helpdesk, which).show(getattr(step, name))
        for name, which in LISTS.items()
    }
    rest = {"per": step.per, "subject": step.subject, "body": step.body}
    values = {"helpdesk": str(step.helpdesk), **chosen, **rest}
    return {f"ticket_{name}": value for name, value in values.items()}


def read_ticket(form: RuleForm) -> TicketStep | None:
    """Raises InvalidInput for what was not chosen from the form's own lists."""
    if not form.ticket_helpdesk.data:
        return None
    try:
        helpdesk_id = to_id(form.ticket_helpdesk.data)
    except ValueError:
        raise InvalidInput("Choose from the list.", "ticket_helpdesk") from None
    per: Of = form.ticket_per.data or "check"
    if per not in get_args(Of):
        raise InvalidInput("Choose from the list.", "ticket_per")
    chosen = read_chosen(form, helpdesk_id)
    texts = {name: form[f"ticket_{name}"].data or "" for name in ("subject", "body")}
    return TicketStep(helpdesk=helpdesk_id, per=per, **chosen, **texts)


def offer_helpdesks(form: RuleForm) -> Mapping[str, list[tuple[str, str]]]:
    """Its choices; and what can be typed into the fields that follow, with the helpdesk's name."""
    names = list_names()
    options = {"": "No ticket"} | {str(key): name for key, name in names.items()}
    chosen = form.ticket_helpdesk.data or ""
    options.setdefault(chosen, f"{chosen} (no longer there)")
    form.ticket_helpdesk.choices = [SelectChoice(value, text) for value, text in options.items()]
    return offer_lists()


def preview(draft: Draft, trial: Trial) -> Preview | None:
    """None where the rule opens none."""
    step = draft.steps.ticket
    if step is None:
        return None
    newest = trial.matched[0].subject if trial.matched else None
    urgency = draft.steps.urgency or "normal"
    subject, body = preview_ticket(step, newest, rule=draft.name, urgency=urgency)
    helpdesk = list_names()[step.helpdesk]
    return Preview(helpdesk, subject, body, _list_unlisted(step), is_example=newest is None)


def _list_unlisted(step: TicketStep) -> list[str]:
    chosen: dict[str, Any] = {name: getattr(step, name) for name in LISTS}
    return [
        f"{name} “{id}”"
        for name, id in chosen.items()
        if id and read_choices(step.helpdesk, LISTS[name]).misses(id)
    ]

"""Opening a ticket from an alert, and linking one that is there."""

from __future__ import annotations

from typing import get_args

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.alerts.listing import get_alert_row
from portal.services.errands.requests import TooManyWaiting
from portal.services.helpdesks.choosing import read_choices
from portal.services.helpdesks.listing import list_names
from portal.services.helpdesks.probing import Lists
from portal.services.rules.terms import Of, TicketStep
from portal.services.tickets.by_hand import open_by_hand, request_link
from portal.services.tickets.listing import list_used_queues
from portal.web.errands.following import follow
from portal.web.forms import SelectChoice, mark, refuse
from portal.web.guard import requires
from portal.web.helpdesks.lists import offer_lists, read_chosen
from portal.web.input import to_id
from portal.web.tickets.forms import LinkForm, OpenForm
from portal.web.tickets.views import tickets


@tickets.get("/of-alert/<int:alert_id>")
@requires(Permission.ACT_ON_ALERTS)
def new(alert_id: int) -> ResponseReturnValue:
    queues = list_used_queues()
    last = queues[0] if queues else (None, "")
    queue = read_choices(last[0], Lists.QUEUES).show(last[1]) if last[0] else last[1]
    form = OpenForm(formdata=None, helpdesk=str(last[0] or ""), ticket_queue=queue)
    link = LinkForm(formdata=None, helpdesk=str(last[0] or ""))
    return _page(alert_id, form, link)


@tickets.post("/of-alert/<int:alert_id>")
@requires(Permission.ACT_ON_ALERTS)
def open_one(alert_id: int) -> ResponseReturnValue:
    get_alert_row(alert_id)
    form = OpenForm()
    try:
        open_by_hand(alert_id, _read_step(form))
    except (InvalidInput, Refused) as error:
        mark(form, error)
        return refuse(_page(alert_id, form, LinkForm(formdata=None)), error)
    flash("The ticket is being opened.", "success")
    return redirect(url_for("alerts.show", alert_id=alert_id))


@tickets.post("/of-alert/<int:alert_id>/link")
@requires(Permission.ACT_ON_ALERTS)
def link(alert_id: int) -> ResponseReturnValue:
    get_alert_row(alert_id)
    form = LinkForm()
    try:
        follow(request_link(alert_id, _read_helpdesk(form), form.reference.data or ""))
    except (InvalidInput, Refused, TooManyWaiting) as error:
        mark(form, error)
        return refuse(_page(alert_id, OpenForm(formdata=None), form), error)
    return redirect(url_for("alerts.show", alert_id=alert_id))


def _page(alert_id: int, form: FlaskForm, link: FlaskForm) -> str:
    row, names, listed = get_alert_row(alert_id), list_names(), offer_lists()
    known = {helpdesk for _label, helpdesk in listed["queue"]}
    used = [(queue, names.get(each, "")) for each, queue in list_used_queues()]
    queues = [*listed["queue"], *(each for each in dict.fromkeys(used) if each[1] not in known)]
    for each in (form, link):
        each.helpdesk.choices = [SelectChoice(str(number), name) for number, name in names.items()]
    return render_template(
        "tickets/new.html",
        alert=row.alert,
        form=form,
        link=link,
        helpdesks=names,
        listed={**listed, "queue": queues},
    )


def _read_step(form: FlaskForm) -> TicketStep:
    """Raises InvalidInput."""
    if form.ticket_per.data not in get_args(Of):
        raise InvalidInput("Choose what the ticket stands for.", field="ticket_per")
    helpdesk_id = _read_helpdesk(form)
    chosen = read_chosen(form, helpdesk_id)
    words = {name: (form[f"ticket_{name}"].data or "").strip() for name in ("subject", "body")}
    return TicketStep(helpdesk=helpdesk_id, per=form.ticket_per.data, **chosen, **words)


def _read_helpdesk(form: FlaskForm) -> int:
    try:
        return to_id(form.helpdesk.data or "")
    except ValueError as error:
        raise InvalidInput("Choose a helpdesk.", field="helpdesk") from error

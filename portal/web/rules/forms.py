from __future__ import annotations

from typing import get_args

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from portal.services.rules.hours import DAYS
from portal.services.rules.terms import Kind, Severity, Urgency
from portal.web.forms import SelectChoice, choices

ANY, WITHIN, OUTSIDE = "any", "within", "outside"
HOURS = {ANY: "At any time", WITHIN: "Within these hours", OUTSIDE: "Outside of these hours"}
CONTAINS, MATCHES = "contains", "matches"
TEXT = {CONTAINS: "contains the words", MATCHES: "matches the regular expression"}
OF = {"asset": "one asset", "check": "one check or task", "client": "one client"}
TELL, IGNORE = "tell", "ignore"
DOES = {TELL: "Tell somebody, or open a ticket", IGNORE: "Ignore it"}
PER = {"check": "each check or task", "asset": "each asset", "client": "each client"}


def _words(values: object) -> list[SelectChoice]:
    return choices({word: word.capitalize() for word in get_args(values)})


class RuleForm(FlaskForm):  # type: ignore[misc]
    """The service checks what was chosen; the form only carries it. In lists, none is any."""

    name = StringField("Name")
    severities = SelectMultipleField("Severity", choices=_words(Severity), validate_choice=False)
    kinds = SelectMultipleField("Kind", choices=_words(Kind), validate_choice=False)
    clients = SelectMultipleField("Clients", choices=[], validate_choice=False)
    organizations = SelectMultipleField("Organizations", choices=[], validate_choice=False)
    sites = SelectMultipleField("Sites", choices=[], validate_choice=False)
    assets = TextAreaField("Assets")
    asset_types = SelectMultipleField(
        "Type",
        choices=choices({"server": "Servers", "workstation": "Workstations"}),
        validate_choice=False,
    )
    systems = SelectMultipleField("Operating system", choices=[], validate_choice=False)
    tags = StringField("Tags")
    comparison = SelectField("The message", choices=choices(TEXT), validate_choice=False)
    text = StringField("Text")
    when = RadioField("When it begins", choices=choices(HOURS), default=ANY, validate_choice=False)
    days = SelectMultipleField(
        "Days",
        choices=choices({str(day): name for day, name in enumerate(DAYS)}),
        validate_choice=False,
    )
    start = StringField("From", default="08:00")
    end = StringField("To", default="18:00")
    zone = SelectField("Time zone", choices=[], validate_choice=False)
    lasting_minutes = StringField("Lasting at least")
    number = StringField("At least")
    minutes = StringField("Within")
    of = SelectField("Of", choices=choices(OF), validate_choice=False)
    does = RadioField(
        "About such an alert", choices=choices(DOES), default=TELL, validate_choice=False
    )
    ignore = StringField("Why nobody is told")
    notify = SelectMultipleField("Channels", choices=[], validate_choice=False)
    urgency = SelectField(
        "Urgency",
        choices=[SelectChoice("", "Not set"), *_words(Urgency)],
        validate_choice=False,
    )
    remind_hours = StringField("Remind every")
    escalate_minutes = StringField("Tell others after")
    escalate_to = SelectMultipleField("Others", choices=[], validate_choice=False)
    ticket_helpdesk = SelectField("Open a ticket in", choices=[], validate_choice=False)
    ticket_queue = StringField("Queue")
    ticket_customer = StringField("Customer")
    ticket_priority = StringField("Priority")
    ticket_per = SelectField("One ticket for", choices=choices(PER), validate_choice=False)
    ticket_subject = StringField("Subject")
    ticket_body = TextAreaField("Text")
    go_on = BooleanField("Go on with the rules after it")

"""Forms for tickets by hand. The services check what was entered; the forms only carry it."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField

from portal.web.forms import SelectChoice

PER = [
    SelectChoice("check", "This check or task of the asset"),
    SelectChoice("asset", "The whole asset"),
    SelectChoice("client", "The whole client"),
]


class OpenForm(FlaskForm):  # type: ignore[misc]
    helpdesk = SelectField("Helpdesk", choices=[], validate_choice=False)
    ticket_queue = StringField("Queue")
    ticket_customer = StringField("Customer")
    ticket_priority = StringField("Priority")
    ticket_per = SelectField("Stands for", choices=PER, validate_choice=False)
    ticket_subject = StringField("Subject")
    ticket_body = TextAreaField("Text")


class LinkForm(FlaskForm):  # type: ignore[misc]
    """Beside the other one, so its ids are its own."""

    helpdesk = SelectField("Helpdesk", id="link-helpdesk", choices=[], validate_choice=False)
    reference = StringField("Number of the ticket", id="link-reference")

from __future__ import annotations

from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import StringField

from portal.helpdesks import KINDS, HelpdeskKind
from portal.models import Helpdesk
from portal.services.far_sides import Entered
from portal.web.far_side_forms import make_form, read_values

FORMS: Mapping[str, type[FlaskForm]] = {
    name: make_form(kind, kind.fields) for name, kind in KINDS.items()
}


class ProbeForm(FlaskForm):  # type: ignore[misc]
    """In which queue the test opens its ticket, and for which customer."""

    queue = StringField("Queue")
    customer = StringField("Customer")


def fill_form(helpdesk: Helpdesk) -> FlaskForm:
    """As it is stored, without secrets; on a submit as it was sent."""
    return FORMS[helpdesk.kind](data={**helpdesk.settings, "name": helpdesk.name})


def read_form(kind: HelpdeskKind, form: FlaskForm) -> Entered:
    return Entered(**read_values(kind.fields, form))

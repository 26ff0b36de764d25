from __future__ import annotations

from wtforms import SelectMultipleField, StringField, TextAreaField

from portal.services.api.tokens import DEFAULT_DAYS, Scope
from portal.web.forms import SelectChoice
from portal.web.users.forms import ClientsForm


class TokenForm(ClientsForm):
    """The service checks what was typed; the form only carries it."""

    name = StringField("Name")
    scopes = SelectMultipleField(
        "Opens",
        choices=[SelectChoice(str(scope), str(scope)) for scope in Scope],
        default=[str(Scope.READ)],
        validate_choice=False,
    )
    days = StringField("Valid for days", default=str(DEFAULT_DAYS))
    networks = TextAreaField("Networks")

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, StringField

from portal.services.accounts.permissions import ROLES
from portal.web.forms import SelectChoice

CHOICES = [SelectChoice(str(role), role.capitalize()) for role in ROLES]


ALL, SOME = "all", "some"
SEES = [SelectChoice(ALL, "All clients"), SelectChoice(SOME, "Only the clients chosen here")]


class ClientsForm(FlaskForm):  # type: ignore[misc]
    """The clients that are ticked stand beside it, as `client`; `clients` is for their error."""

    sees = RadioField("Clients", choices=SEES, default=ALL, validate_choice=False)
    clients = StringField("Clients")


class InviteForm(ClientsForm):
    """The service checks what was chosen; the form only carries it."""

    email = StringField("Email address")
    role = RadioField("Role", choices=CHOICES, validate_choice=False)
    mail = BooleanField("Send it by mail", default=True)


class RoleForm(FlaskForm):  # type: ignore[misc]
    role = RadioField("Role", choices=CHOICES, validate_choice=False)

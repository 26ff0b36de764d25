from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from portal.services.accounts.permissions import ROLES

CHOICES = [SelectChoice(str(role), role.capitalize()) for role in ROLES]


class InviteForm(FlaskForm):  # type: ignore[misc]
    """The service checks what was chosen; the form only carries it."""

    email = StringField("Email address")
    role = RadioField("Role", choices=CHOICES, validate_choice=False)


class RoleForm(FlaskForm):  # type: ignore[misc]
    role = RadioField("Role", choices=CHOICES, validate_choice=False)

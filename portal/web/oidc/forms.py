from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, SelectField, StringField

from portal.services.accounts.permissions import ROLES
from portal.web.forms import SelectChoice

NO_ENTRY = "No entry"


class ProviderForm(FlaskForm):  # type: ignore[misc]
    """The service checks what was entered. The groups are read beside it: see `read_groups`."""

    issuer = StringField("Issuer")
    client_id = StringField("Client ID")
    client_secret = PasswordField("Client secret")
    scopes = StringField("More scopes")
    groups_claim = StringField("Claim that lists the groups")
    group_roles = HiddenField("Groups and roles")
    default_role = SelectField(
        "Whoever is in none of these groups",
        choices=[
            SelectChoice("", NO_ENTRY),
            *(SelectChoice(str(role), role.capitalize()) for role in ROLES),
        ],
        validate_choice=False,
    )
    second_factor_words = StringField("Words for a second factor")
    required = BooleanField("Required: everybody signs in with the provider only")


class CompanyForm(FlaskForm):  # type: ignore[misc]
    class Meta:
        csrf = False  # it changes nothing: it leads to a page

    company = StringField("Short name of your company")

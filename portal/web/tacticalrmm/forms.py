from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField, StringField

from portal.models.integrations.integration import AuthMode
from portal.services.integrations.option_kinds import OptionPage
from portal.web.forms import CodeField, SelectChoice, UrlField
from portal.web.options import with_options


@with_options(OptionPage.CONNECTION)
class ConnectionForm(FlaskForm):  # type: ignore[misc]
    """The services check what was typed; the form only carries it."""

    base_url = UrlField("Instance URL")
    auth_mode = RadioField(
        "Sign in with",
        choices=[
            SelectChoice(str(AuthMode.API_KEY), "API key"),
            SelectChoice(str(AuthMode.PASSWORD), "Username and password"),
        ],
    )
    api_key = PasswordField("API key")
    username = StringField("Username")
    password = PasswordField("Password")
    totp_code = CodeField("One-time code")
    totp_secret = PasswordField("TOTP secret")

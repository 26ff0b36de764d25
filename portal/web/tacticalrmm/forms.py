from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from portal.models.integrations.integration import AuthMode, InventorySource
from portal.web.forms import CodeField, UrlField


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
    inventory_source = SelectField(
        "Read the inventory from",
        choices=[
            SelectChoice(str(InventorySource.AUTO), "Automatic"),
            SelectChoice(str(InventorySource.BETA), "Beta API"),
            SelectChoice(str(InventorySource.DASHBOARD), "Dashboard API"),
        ],
    )
    page_size = StringField("Page size")
    device_sync_minutes = StringField("Sync devices every")
    status_sweep_minutes = StringField("Refresh the status every")
    software_sync_minutes = StringField("Read software every")

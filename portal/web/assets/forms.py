from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField

from portal.web.forms import SelectChoice


class AssetForm(FlaskForm):  # type: ignore[misc]
    """The client is chosen by the client picker, beside these fields."""

    name = StringField("Name")
    description = StringField("Description")
    asset_type = SelectField(
        "Type",
        choices=[SelectChoice("workstation", "Workstation"), SelectChoice("server", "Server")],
        validate_choice=False,
    )
    client = StringField("Client")

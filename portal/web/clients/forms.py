from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField


class ClientForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name")

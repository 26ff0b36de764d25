from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectMultipleField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from portal.models.events.event import EventType
from portal.web.forms import UrlField


class SubscriberForm(FlaskForm):  # type: ignore[misc]
    """The service checks what was chosen; the form only carries it."""

    url = UrlField("URL")
    types = SelectMultipleField(
        "Events",
        choices=[SelectChoice(str(kind), str(kind)) for kind in EventType],
        validate_choice=False,
    )

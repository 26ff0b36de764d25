from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectMultipleField

from portal.models.events.event import EventType
from portal.web.forms import SelectChoice, UrlField


class SubscriberForm(FlaskForm):  # type: ignore[misc]
    """The service checks what was chosen; the form only carries it."""

    url = UrlField("URL")
    types = SelectMultipleField(
        "Events",
        choices=[SelectChoice(str(kind), str(kind)) for kind in EventType],
        validate_choice=False,
    )

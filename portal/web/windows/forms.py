from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField

from portal.services.windows.drafts import EVERY, ONCE
from portal.services.windows.terms import LAST, WEEKDAYS
from portal.services.windows.words import AFTER, NTH
from portal.web.forms import SelectChoice, choices

PLACES = {
    "everything": "Everything",
    "client": "A client",
    "organization": "An organization of Tactical’s",
    "site": "A site",
    "assets": "Some assets",
}
KEPT = "kept"
"""The places that were chosen before, where the form has no fields for them."""
KINDS = ("availability", "check", "task", "custom")
DAYS_OF_MONTH = {str(day): f"Day {day}" for day in range(1, 32)} | {str(LAST): "The last day"}


def _numbered(words: dict[int, str]) -> list[SelectChoice]:
    return choices({str(value): text.capitalize() for value, text in words.items()})


class WindowForm(FlaskForm):  # type: ignore[misc]
    """The service checks what was chosen; the form only carries it. Of one that repeats, start and
    end are those of the first occurrence."""

    name = StringField("Name")
    starts = StringField("Starts")
    ends = StringField("Ends")
    zone = SelectField("Time zone", validate_choice=False)
    every = SelectField("Repeats", choices=choices(EVERY), default=ONCE, validate_choice=False)
    interval = StringField("Interval", default="1")
    weekdays = SelectMultipleField(
        "On",
        choices=choices({str(day): name for day, name in enumerate(WEEKDAYS)}),
        validate_choice=False,
    )
    day = SelectField("Day of the month", choices=choices(DAYS_OF_MONTH), validate_choice=False)
    nth = SelectField("Which one in the month", choices=_numbered(NTH), validate_choice=False)
    weekday = SelectField(
        "Weekday",
        choices=choices({str(day): name for day, name in enumerate(WEEKDAYS)}),
        validate_choice=False,
    )
    days_after = SelectField("And then", choices=_numbered(AFTER), validate_choice=False)
    until = StringField("Last day")
    place = RadioField(
        "Keeps silent", choices=choices(PLACES), default="everything", validate_choice=False
    )
    client = StringField("Client")
    organization = SelectField("Organization", validate_choice=False)
    site = SelectField("Site", validate_choice=False)
    assets = TextAreaField("Assets")
    kinds = SelectMultipleField(
        "Kinds of alerts",
        choices=choices({kind: kind.capitalize() for kind in KINDS}),
        validate_choice=False,
    )

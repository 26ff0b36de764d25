"""The design system to look at, every component in every state, while somebody works on it."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField, TextAreaField

from portal.services.lists.paging import Page
from portal.web.day_charts import DayChart, Series, draw_days
from portal.web.forms import choices

design = Blueprint("design", __name__)

CHOICES = choices({"one": "The first", "two": "The second"})


class Sample(FlaskForm):  # type: ignore[misc]
    name = StringField("Text")
    wrong = StringField("Text with an error")
    off = StringField("Text that cannot be changed")
    text = TextAreaField("Longer text")
    kind = SelectField("One of many", choices=CHOICES)
    choice = RadioField("One of a few", choices=CHOICES, default="one")
    switch = BooleanField("A switch that is on", default=True)
    secret = PasswordField("Secret")


@design.get("/design")
def show() -> ResponseReturnValue:
    form = Sample(formdata=None)
    form.wrong.errors = ["Say what is wrong, and what to do."]
    page = Page([0] * 50, number=2, total=1234)
    return render_template("design.html", form=form, page=page, charts_of_days=_draw_samples())


def _draw_samples() -> list[DayChart]:
    """Every colour; days that were counted, and one that was not."""
    days = [date(2026, 11, number) for number in (20, 21, 22, 24)]
    numbers: list[list[int | None]] = [[180, 190, None, 200], [40, 30, None, 25], [9, 20, None, 5]]
    stacked = [
        Series(tone.capitalize(), tone, values, lambda _day: "#main")
        for tone, values in zip(("online", "offline", "overdue"), numbers, strict=True)
    ]
    stacked.append(Series("Unknown", "unknown", [10, 2, None, 8], lambda _day: "#main"))
    apart = [
        Series(tone.capitalize(), tone, values, lambda _day: "#main", tone.endswith("-resolved"))
        for way in ("", "-resolved")
        for tone, values in zip(
            (f"error{way}", f"warning{way}", f"info{way}"), numbers, strict=True
        )
    ]
    return [
        draw_days("Stacked", days, stacked, 8, days[-1]),
        draw_days("Above and below", days, apart, 8, days[-1]),
    ]

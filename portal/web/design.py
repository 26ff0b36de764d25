"""The design system to look at, every component in every state, while somebody works on it."""

from __future__ import annotations

import re
from datetime import date

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField, TextAreaField

from portal.services.lists.paging import Page
from portal.web.day_charts import DayChart, Series, draw_days
from portal.web.forms import choices
from portal.web.static_files import list_sheets

design = Blueprint("design", __name__)

SHOWN_BY = {
    "text": "font-size: var({name})",
    "space": "display: block; width: var({name}); height: 1rem; background: var(--accent-fill)",
    "raised": "padding: 1rem; box-shadow: var({name})",
    "floating": "padding: 1rem; box-shadow: var({name})",
}
"""Kind of a token -> what the page does to the element of `data-token`."""

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
    return render_template(
        "design.html", form=form, page=page, charts_of_days=_draw_samples(), tokens=_read_tokens()
    )


@design.get("/design.css")
def sheet() -> Response:
    """What shows the tokens, which no other page needs."""
    rules = [
        f'[data-token="{name}"] {{ {SHOWN_BY[kind].format(name=name)} }}'
        for kind, tokens in _read_tokens().items()
        for name in tokens
    ]
    return Response("\n".join(rules), mimetype="text/css")


def _read_tokens() -> dict[str, dict[str, str]]:
    """By kind: each with its value, lengths in pixels."""
    [tokens] = [each.read_text() for each in list_sheets() if each.name == "tokens.css"]
    found: dict[str, dict[str, str]] = {kind: {} for kind in SHOWN_BY}
    for name, kind, value in re.findall(r"(--([a-z]+)(?:-\d)?): ([^;]+);", tokens):
        if kind in found:
            is_length = value.endswith("rem")
            found[kind][name] = f"{16 * float(value[:-3]):g} px" if is_length else value
    return found


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

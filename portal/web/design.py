"""The design system to look at, every component in every state, while somebody works on it."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, RadioField, SelectField, StringField, TextAreaField

from portal.services.lists.paging import Page
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
    return render_template("design.html", form=form, page=Page([0] * 50, number=2, total=1234))

"""A form for each kind of far side, made of what the kind says that it wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField, TextAreaField
from wtforms import Field as FormField

from portal.errors import PortalError
from portal.far_side.form import Field
from portal.services.far_sides import BadFields
from portal.web.forms import SelectChoice, mark

FORGET = "forget_"
"""Before the name of a secret: the box that deletes it."""


class SecretArea(TextAreaField):
    """Several lines that a page which comes back leaves out."""

    def _value(self) -> str:
        return ""


def make_form(of: object, fields: Sequence[Field], **more: FormField) -> type[FlaskForm]:
    """The service checks what was entered; the form only carries it. `of`: the kind."""
    members: dict[str, FormField] = {"name": StringField("Name")}
    for each in fields:
        members[each.name] = _make_field(each)
        if each.is_secret and not each.is_required:
            members[FORGET + each.name] = BooleanField(f"Delete the stored {each.label.lower()}")
    return type(f"{type(of).__name__}Form", (FlaskForm,), members | more)


def read_values(fields: Sequence[Field], form: FlaskForm) -> dict[str, Any]:
    """As `services.far_sides.Entered` wants it."""
    forgotten = [
        each.name for each in fields if FORGET + each.name in form and form[FORGET + each.name].data
    ]
    return {
        "name": form["name"].data or "",
        "values": {each.name: form[each.name].data for each in fields},
        "forgotten": forgotten,
    }


def mark_fields(form: FlaskForm, error: PortalError) -> None:
    """Each problem beside its field; what belongs to none stands above the form."""
    if not isinstance(error, BadFields):
        mark(form, error)
        return
    for name, problem in error.problems.items():
        if name in form:
            form[name].errors = [*form[name].errors, problem]
        else:
            form.form_errors.append(problem)


def _make_field(each: Field) -> FormField:
    if each.input == "checkbox":
        return BooleanField(each.label, default=bool(each.default))
    if each.input == "select":
        choices = [SelectChoice(value, label) for value, label in each.choices]
        return SelectField(each.label, choices=choices, default=each.default, validate_choice=False)
    if each.is_secret:
        return (SecretArea if each.input == "textarea" else PasswordField)(each.label)
    kind = TextAreaField if each.input == "textarea" else StringField
    return kind(each.label, default=str(each.default))

"""A form for each kind of channel, made of what the kind says that it wants."""

from __future__ import annotations

from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField, TextAreaField
from wtforms import Field as FormField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from portal.channels import KINDS, ChannelKind
from portal.channels.templating import PARTS
from portal.far_side.form import Field
from portal.models import Channel
from portal.services.channels.changing import EnteredChannel

FORGET = "forget_"
"""Before the name of a secret: the box that deletes it."""


class SecretArea(TextAreaField):
    """Several lines that a page which comes back leaves out."""

    def _value(self) -> str:
        return ""


def _make_form(kind: ChannelKind) -> type[FlaskForm]:
    """The service checks what was entered; the form only carries it."""
    fields: dict[str, FormField] = {"name": StringField("Name")}
    for each in kind.fields:
        fields[each.name] = _make_field(each)
        if each.is_secret and not each.is_required:
            fields[FORGET + each.name] = BooleanField(f"Delete the stored {each.label.lower()}")
    fields["most_per_minute"] = StringField(
        "Most messages a minute", default=str(kind.most_per_minute)
    )
    return type(f"{type(kind).__name__}Form", (FlaskForm,), fields)


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


FORMS: Mapping[str, type[FlaskForm]] = {name: _make_form(kind) for name, kind in KINDS.items()}


class WordingForm(FlaskForm):  # type: ignore[misc]
    """Parts of a message; which of them a channel has its kind says."""

    subject = StringField(PARTS["subject"])
    text = TextAreaField(PARTS["text"])
    digest_subject = StringField(PARTS["digest_subject"])
    digest_text = TextAreaField(PARTS["digest_text"])
    body = TextAreaField(PARTS["body"])


def fill_form(channel: Channel) -> FlaskForm:
    """As it is stored, without secrets; on a submit as it was sent."""
    stored = {
        **channel.settings,
        "name": channel.name,
        "most_per_minute": str(channel.most_per_minute),
    }
    return FORMS[channel.kind](data=stored)


def read_form(kind: ChannelKind, form: FlaskForm) -> EnteredChannel:
    forgotten = [
        each.name
        for each in kind.fields
        if FORGET + each.name in form and form[FORGET + each.name].data
    ]
    return EnteredChannel(
        name=form["name"].data or "",
        most_per_minute=form["most_per_minute"].data or "",
        values={each.name: form[each.name].data for each in kind.fields},
        forgotten=forgotten,
    )

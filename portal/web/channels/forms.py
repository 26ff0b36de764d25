"""A form for each kind of channel, made of what the kind says that it wants."""

from __future__ import annotations

from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField

from portal.channels import KINDS, ChannelKind
from portal.channels.templating import PARTS
from portal.models import Channel
from portal.services.channels.changing import EnteredChannel
from portal.web.far_side_forms import make_form, read_values


def _make_form(kind: ChannelKind) -> type[FlaskForm]:
    most = StringField("Most messages a minute", default=str(kind.most_per_minute))
    return make_form(kind, kind.fields, most_per_minute=most)


FORMS: Mapping[str, type[FlaskForm]] = {name: _make_form(kind) for name, kind in KINDS.items()}


class WordingForm(FlaskForm):  # type: ignore[misc]
    """Parts of a message; which of them a channel has its kind says."""

    subject = StringField(PARTS["subject"])
    text = TextAreaField(PARTS["text"])
    digest_subject = StringField(PARTS["digest_subject"])
    digest_text = TextAreaField(PARTS["digest_text"])
    notice_subject = StringField(PARTS["notice_subject"])
    notice_text = TextAreaField(PARTS["notice_text"])
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
    most = form["most_per_minute"].data or ""
    return EnteredChannel(most_per_minute=most, **read_values(kind.fields, form))

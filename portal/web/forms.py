"""What the forms of all areas share."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Response, make_response
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.fields.choices import SelectChoice as SelectChoice  # type: ignore[attr-defined]  # its stubs are older

from portal.errors import InvalidInput, PortalError
from portal.services.accounts.throttle import TooManyAttempts

_CREDENTIALS = re.compile(r"^((?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?[^/?#]*@")


class CodeField(StringField):
    """A code that people read while they type it. A page that comes back leaves it out."""

    def _value(self) -> str:
        return ""


class SignedField(HiddenField):
    """What a key signed for this one answer. A page that comes back leaves it out."""

    def _value(self) -> str:
        return ""


class UrlField(StringField):
    """An address. A page that comes back leaves out a user name and a password in it."""

    def _value(self) -> str:
        typed: str = super()._value()  # type: ignore[misc]  # not in the stubs
        return _CREDENTIALS.sub(r"\1", typed)


def choices(words: Mapping[str, str]) -> list[SelectChoice]:
    """Of a list: value -> its words for people."""
    return [SelectChoice(value, text) for value, text in words.items()]


def mark(form: FlaskForm, error: PortalError, otherwise: str | None = None) -> None:
    """Put a service's refusal beside its field, or above the form when it has none."""
    field = error.field if isinstance(error, InvalidInput) else otherwise
    if field in form:
        form[field].errors = [*form[field].errors, error.message]
    else:
        form.form_errors.append(error.message)
    for other in error.others if isinstance(error, InvalidInput) else ():
        mark(form, other, otherwise)


def refuse(page: str | Response, error: PortalError, status: int = 422) -> Response:
    """The page with the form that came back, and the status that says why to programs."""
    response = make_response(page, status)
    if isinstance(error, TooManyAttempts):
        response.status_code = 429
        response.headers["Retry-After"] = str(error.retry_after)
    return response

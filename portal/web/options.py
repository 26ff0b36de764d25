"""The options of a connection as fields of a form."""

from __future__ import annotations

from collections.abc import Callable

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, SelectField, StringField

from portal.services.integrations.option_kinds import (
    AUTO,
    AddressOption,
    AnyOption,
    IntervalOption,
    NumberOption,
    OptionPage,
    OptionValue,
)
from portal.services.integrations.options import list_options
from portal.web.forms import SelectChoice, UrlField
from portal.web.input import read_number


def with_options(page: OptionPage) -> Callable[[type[FlaskForm]], type[FlaskForm]]:
    """Give a form a field for each option of the page, and their names as `option_names`."""

    def add_fields(form: type[FlaskForm]) -> type[FlaskForm]:
        options = list_options(page)
        for option in options:
            setattr(form, option.name, _to_field(option))
        form.option_names = [option.name for option in options]
        return form

    return add_fields


def read_options(page: OptionPage) -> dict[str, OptionValue | None]:
    """What was sent, by option; None where nothing was. Raises InvalidInput."""
    return {option.name: _read(option) for option in list_options(page)}


def _to_field(option: AnyOption) -> Field:
    if isinstance(option, AddressOption):
        attributes = {"autocomplete": "off", "inputmode": "url", "spellcheck": "false"}
        return UrlField(option.label, description=option.help, render_kw=attributes)
    if not isinstance(option, NumberOption):
        choices = [SelectChoice(str(word), label) for word, label in option.choices.items()]
        return SelectField(option.label, description=option.help, choices=choices)
    # A keyboard of digits alone has no letters for "auto" or "1 day".
    has_letters = option.allows_auto or isinstance(option, IntervalOption)
    keyboard = {"autocapitalize": "none"} if has_letters else {"inputmode": "numeric"}
    attributes = {"autocomplete": "off", **keyboard}
    return StringField(option.label, description=option.help, render_kw=attributes)


def _read(option: AnyOption) -> OptionValue | None:
    if not isinstance(option, NumberOption):
        return request.form.get(option.name)
    if option.allows_auto and request.form.get(option.name, "").strip().lower() == AUTO:
        return AUTO
    if isinstance(option, IntervalOption):
        return option.read(request.form.get(option.name, ""))
    return read_number(option.name, option.problem)

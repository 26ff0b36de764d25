"""The table of a connection's options: each row is a column, a field and a checked value."""

from __future__ import annotations

import click
import pytest
from flask import Flask

from portal.cli.connection import connect
from portal.errors import InvalidInput
from portal.models import Integration
from portal.services.integrations.option_kinds import (
    AUTO,
    AnyOption,
    ChoiceOption,
    IntervalOption,
    NumberOption,
    OptionPage,
    OptionValue,
    SwitchOption,
    name_interval,
)
from portal.services.integrations.options import OPTIONS, list_options
from portal.web.tacticalrmm.forms import ConnectionForm
from portal.web.webhook.forms import OptionForm

NUMBERS = [option for option in OPTIONS if isinstance(option, NumberOption)]
CHOICES = [option for option in OPTIONS if isinstance(option, ChoiceOption)]


def name(option: AnyOption) -> str:
    return option.name


@pytest.mark.parametrize("option", NUMBERS, ids=name)
def test_a_number_is_taken_within_its_bounds_alone(option: NumberOption) -> None:
    assert option.to_column(option.lowest) == option.lowest
    assert option.to_column(option.highest) == option.highest
    wrong: list[OptionValue] = [option.lowest - 1, option.highest + 1, "often"]
    if not option.allows_auto:
        wrong.append(AUTO)
    for value in wrong:
        with pytest.raises(InvalidInput) as error:
            option.to_column(value)
        assert error.value.field == option.name
        shown = name_interval if isinstance(option, IntervalOption) else str
        assert shown(option.lowest) in error.value.message
        assert shown(option.highest) in error.value.message


def test_auto_is_stored_as_nothing() -> None:
    taking = [option for option in NUMBERS if option.allows_auto]
    assert taking
    assert [option.to_column(AUTO) for option in taking] == [None] * len(taking)


@pytest.mark.parametrize("option", CHOICES, ids=name)
def test_a_choice_is_one_of_its_words(option: ChoiceOption) -> None:
    for word in option.choices:
        assert option.to_column(str(word)) is word
    with pytest.raises(InvalidInput) as error:
        option.to_column("elsewhere")
    assert error.value.field == option.name
    assert all(word in error.value.message for word in option.choices)


def test_a_switch_is_on_or_off() -> None:
    switches = [option for option in OPTIONS if isinstance(option, SwitchOption)]
    assert switches
    for option in switches:
        assert [option.to_column(word) for word in option.choices] == [False, True]
        with pytest.raises(InvalidInput) as error:
            option.to_column("perhaps")
        assert error.value.field == option.name


@pytest.mark.parametrize("option", OPTIONS, ids=name)
def test_a_default_is_a_value_that_a_person_could_enter(
    option: AnyOption,
) -> None:
    entered = AUTO if option.default is None else option.default
    assert option.to_column(entered) == option.default
    assert option.name in Integration.__table__.columns


def test_each_page_has_a_field_for_each_of_its_options(app: Flask) -> None:
    with app.test_request_context():
        for page, form in (
            (OptionPage.CONNECTION, ConnectionForm()),
            (OptionPage.WEBHOOK, OptionForm()),
        ):
            options = list_options(page)
            assert options
            for option in options:
                field = form[option.name]
                assert (field.label.text, field.description) == (option.label, option.help)


def test_the_command_offers_each_option_that_has_a_flag() -> None:
    offered = {
        parameter.name: (parameter.opts, parameter.help)
        for parameter in connect.params
        if isinstance(parameter, click.Option)
    }
    flagged = [option for option in OPTIONS if option.flag]
    assert flagged
    for option in flagged:
        assert offered[option.name] == ([option.flag], option.help)

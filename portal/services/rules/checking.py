"""Whether a rule can be used as a person or a file words it; and its terms in their plainest form.

Pure: knows neither Flask nor the database. Each refusal names its field, as the form has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from zoneinfo import available_timezones

import msgspec

from portal.errors import InvalidInput
from portal.far_side.templating import BadTemplate, check_template
from portal.services.rules.patterns import LONGEST_PATTERN, compile_pattern
from portal.services.rules.terms import AtLeast, Conditions, Hours, Steps, Text, TicketStep
from portal.services.text import LONGEST_LINE, clean_line
from portal.services.tickets.wording import VALUES

MOST_LISTED = 500
"""Clients, sites, assets … of one condition."""
LONGEST_TAG = 40
WEEK = 7 * 24 * 60
"""In minutes, as the bounds that follow."""
DAY = 24 * 60
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")


def check_conditions(conditions: Conditions) -> Conditions:
    """Without repetitions, tags in lower case. Raises InvalidInput."""
    lists = {
        name: tuple(dict.fromkeys(getattr(conditions, name)))
        for name, _type in Conditions.__annotations__.items()
        if isinstance(getattr(conditions, name), tuple)
    }
    lists["tags"] = _check_tags(lists["tags"])
    for name, chosen in lists.items():
        if len(chosen) > MOST_LISTED:
            raise InvalidInput(f"Choose at most {MOST_LISTED}, or none for all.", field=name)
    if conditions.lasting_minutes is not None:
        _check_number(conditions.lasting_minutes, 1, WEEK, "lasting_minutes")
    if conditions.at_least is not None:
        _check_at_least(conditions.at_least)
    if conditions.hours is not None:
        _check_hours(conditions.hours)
    text = _check_text(conditions.text) if conditions.text else None
    return msgspec.structs.replace(conditions, **lists, text=text)


def check_steps(steps: Steps) -> Steps:
    """Without repetitions. Raises InvalidInput."""
    notify, others = _unique(steps.notify), _unique(steps.escalate_to)
    if steps.ignore is not None:
        if steps != Steps(ignore=steps.ignore):
            raise InvalidInput(
                "A rule that ignores alerts can do nothing else about them.", field="ignore"
            )
        return Steps(ignore=clean_line(steps.ignore, "ignore", "why nobody is to be told"))
    if not steps.tells and steps.urgency is None:
        raise InvalidInput("Choose at least one channel, or open a ticket.", field="notify")
    if steps.remind_hours is not None:
        _check_number(steps.remind_hours, 1, WEEK // 60, "remind_hours")
        if not notify:
            raise InvalidInput("Choose the channels that are reminded.", field="notify")
    if steps.escalate_minutes is not None:
        _check_number(steps.escalate_minutes, 1, WEEK, "escalate_minutes")
        if not others:
            raise InvalidInput("Choose the channels that are told then.", field="escalate_to")
    elif others:
        raise InvalidInput(
            "Enter after how many minutes the other channels are told.", field="escalate_minutes"
        )
    ticket = check_ticket(steps.ticket) if steps.ticket else None
    return msgspec.structs.replace(steps, notify=notify, escalate_to=others, ticket=ticket)


def check_ticket(step: TicketStep) -> TicketStep:
    """As it would be kept. Raises InvalidInput, which names fields as the form has them: with
    `ticket_` before."""
    queue = clean_line(step.queue, "ticket_queue", "the queue that tickets go to")
    for name in ("customer", "priority"):
        if len(getattr(step, name)) > LONGEST_LINE or not getattr(step, name).isprintable():
            raise InvalidInput("Choose one of the helpdesk's.", field=f"ticket_{name}")
    templates = {name: _check_template(name, getattr(step, name)) for name in ("subject", "body")}
    return msgspec.structs.replace(step, queue=queue, **templates)


def _check_template(name: str, source: str) -> str:
    source = source.replace("\r\n", "\n").strip()
    try:
        check_template(source, VALUES)
    except BadTemplate as error:
        raise InvalidInput(f"The template cannot be used: {error}", f"ticket_{name}") from None
    return source


def _check_text(text: Text) -> Text:
    sought = text.sought.strip()
    if not sought:
        return _refuse_text("Enter what the message must contain.")
    if len(sought) > LONGEST_PATTERN or not sought.isprintable():
        return _refuse_text(f"Use at most {LONGEST_PATTERN} characters, all on one line.")
    if text.is_pattern:
        compile_pattern(sought)
    return Text(sought, text.is_pattern)


def _refuse_text(message: str) -> Text:
    raise InvalidInput(message, field="text")


def _check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    cleaned = [" ".join(tag.lower().split()) for tag in tags]
    if any(len(tag) > LONGEST_TAG or not tag.isprintable() for tag in cleaned):
        raise InvalidInput(f"A tag has at most {LONGEST_TAG} characters.", field="tags")
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))


def _check_hours(hours: Hours) -> None:
    if hours.zone not in available_timezones():
        raise InvalidInput("Choose a time zone from the list, such as Europe/Berlin.", field="zone")
    if not hours.days or not set(hours.days) <= set(range(7)):
        raise InvalidInput("Choose at least one day.", field="days")
    for field in ("start", "end"):
        if not _CLOCK.match(getattr(hours, field)):
            raise InvalidInput("Enter a time such as 08:00.", field=field)


def _check_at_least(wanted: AtLeast) -> None:
    _check_number(wanted.number, 2, 1000, "number")
    _check_number(wanted.minutes, 1, DAY, "minutes")


def _check_number(number: int, least: int, most: int, field: str) -> None:
    if not least <= number <= most:
        raise InvalidInput(f"Enter a number from {least} to {most:,}.", field=field)


def _unique(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ids))

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
from portal.services.faults import Faults
from portal.services.rules.patterns import LONGEST_PATTERN, compile_pattern
from portal.services.rules.terms import Conditions, Hours, Steps, Text, TicketStep
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
    """Without repetitions, tags in lower case. Raises InvalidInput, for all that is wrong."""
    faults, text = Faults(), None
    lists = {
        name: tuple(dict.fromkeys(getattr(conditions, name)))
        for name, _type in Conditions.__annotations__.items()
        if isinstance(getattr(conditions, name), tuple)
    }
    with faults.collected():
        lists["tags"] = _check_tags(lists["tags"])
    for name, chosen in lists.items():
        if len(chosen) > MOST_LISTED:
            faults.note(f"Choose at most {MOST_LISTED}, or none for all.", name)
    _check_number(faults, conditions.lasting_minutes, 1, WEEK, "lasting_minutes")
    if conditions.at_least is not None:
        _check_number(faults, conditions.at_least.number, 2, 1000, "number")
        _check_number(faults, conditions.at_least.minutes, 1, DAY, "minutes")
    if conditions.hours is not None:
        _check_hours(faults, conditions.hours)
    with faults.collected():
        text = _check_text(conditions.text) if conditions.text else None
    faults.raise_any()
    return msgspec.structs.replace(conditions, **lists, text=text)


def check_steps(steps: Steps) -> Steps:
    """Without repetitions. Raises InvalidInput, for all that is wrong."""
    notify, others = _unique(steps.notify), _unique(steps.escalate_to)
    if steps.ignore is not None:
        if steps != Steps(ignore=steps.ignore):
            raise InvalidInput(
                "A rule that ignores alerts can do nothing else about them.", field="ignore"
            )
        return Steps(ignore=clean_line(steps.ignore, "ignore", "why nobody is to be told"))
    faults = Faults()
    _check_number(faults, steps.remind_hours, 1, WEEK // 60, "remind_hours")
    _check_number(faults, steps.escalate_minutes, 1, WEEK, "escalate_minutes")
    if not steps.tells and steps.urgency is None:
        faults.note("Choose at least one channel, or open a ticket.", "notify")
    if steps.remind_hours is not None and not notify:
        faults.note("Choose the channels that are reminded.", "notify")
    if steps.escalate_minutes is not None and not others:
        faults.note("Choose the channels that are told then.", "escalate_to")
    if steps.escalate_minutes is None and others:
        words = "Enter after how many minutes the other channels are told."
        faults.note(words, "escalate_minutes")
    ticket = steps.ticket
    with faults.collected():
        ticket = check_ticket(ticket) if ticket else None
    faults.raise_any()
    return msgspec.structs.replace(steps, notify=notify, escalate_to=others, ticket=ticket)


def check_ticket(step: TicketStep) -> TicketStep:
    """As it would be kept. Raises InvalidInput, which names fields as the form has them: with
    `ticket_` before."""
    faults, queue = Faults(), step.queue
    with faults.collected():
        queue = clean_line(queue, "ticket_queue", "the queue that tickets go to")
    for name in ("customer", "priority"):
        if len(getattr(step, name)) > LONGEST_LINE or not getattr(step, name).isprintable():
            faults.note("Choose one of the helpdesk's.", f"ticket_{name}")
    templates = {name: getattr(step, name) for name in ("subject", "body")}
    for name, source in templates.items():
        with faults.collected():
            templates[name] = _check_template(name, source)
    faults.raise_any()
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


def _check_hours(faults: Faults, hours: Hours) -> None:
    if hours.zone not in available_timezones():
        faults.note("Choose a time zone from the list, such as Europe/Berlin.", "zone")
    if not hours.days or not set(hours.days) <= set(range(7)):
        faults.note("Choose at least one day.", "days")
    for field in ("start", "end"):
        if not _CLOCK.match(getattr(hours, field)):
            faults.note("Enter a time such as 08:00.", field)


def _check_number(faults: Faults, number: int | None, least: int, most: int, field: str) -> None:
    if number is not None and not least <= number <= most:
        faults.note(f"Enter a number from {least} to {most:,}.", field)


def _unique(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ids))

"""Taking a file over: what is in it is added or changed, by its name; nothing is deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction
from portal.errors import InvalidInput, PortalError
from portal.models import AlertRule, MaintenanceWindow
from portal.models.organizations.client import name_key
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.rules.changes import (
    Draft,
    describe_rule,
    insert_rule,
    lock_rules,
    number_rules,
    update_rule,
)
from portal.services.rules.file.channels import import_channel
from portal.services.rules.file.content import (
    ChannelPart,
    Content,
    HelpdeskPart,
    RulePart,
    WindowPart,
    read_content,
)
from portal.services.rules.file.helpdesks import import_helpdesk
from portal.services.rules.file.names import Names
from portal.services.rules.file.outcome import Import, Line, changed
from portal.services.rules.listing import query_rules
from portal.services.rules.terms import read_conditions, read_steps
from portal.services.windows.drafts import ONCE, WindowDraft, read_draft
from portal.services.windows.editing import describe_window, insert_window, update_window
from portal.services.windows.loading import select_ahead
from portal.services.windows.terms import Window, as_plain, read_repeats, read_scope

Row = TypeVar("Row", AlertRule, MaintenanceWindow)
Part = TypeVar("Part", ChannelPart, HelpdeskPart)


class _OnlyLooked(Exception):
    """Ends a preview, so that nothing of it stays."""


def preview_import(file: bytes, by: str) -> Import:
    """What `apply_import` would do. Raises as that does."""
    found: list[Line] = []
    try:
        with transaction() as session:
            found = _import(session, read_content(file), by)
            raise _OnlyLooked
    except _OnlyLooked:
        return Import(found, digest(file))


def apply_import(file: bytes, by: str) -> Import:
    """All of it, or nothing. `by`: who adds windows, as their list shows it.

    Raises InvalidInput for a file that cannot be used, and Refused.
    """
    content = read_content(file)
    with transaction() as session:
        done = Import(_import(session, content, by), digest(file))
        if done.changes:
            names = {f"{line.kind} {line.name}": line for line in done.changes}
            before = {name: line.before for name, line in names.items()}
            after = {name: line.after or line.action for name, line in names.items()}
            record(Action.RULES_IMPORTED, Target("rule"), before, after)
    return done


def digest(file: bytes) -> str:
    return sha256(file).hexdigest()


def _import(session: Session, content: Content, by: str) -> list[Line]:
    lock_rules(session)
    lines = _import_each(session, "channel", content.channels, import_channel)
    lines += _import_each(session, "helpdesk", content.helpdesks, import_helpdesk)
    names = Names()
    return (
        lines
        + _import_rules(session, content.rules, names)
        + _import_windows(session, content.windows, names, by)
    )


def _import_each(
    session: Session,
    kind: str,
    parts: Sequence[Part],
    take_over: Callable[[Session, Part], Line],
) -> list[Line]:
    lines = []
    for part in parts:
        try:
            lines.append(take_over(session, part))
        except PortalError as error:
            raise _in_part(kind, part.name, error) from None
        session.flush()
    return lines


def _import_rules(session: Session, parts: Sequence[RulePart], names: Names) -> list[Line]:
    """Those of the file come first, in its order."""
    before = query_rules()
    known = _Known(before)
    lines, first = [], []
    for part in parts:
        rule = known.take(part.name)
        try:
            line, rule = _import_rule(session, part, rule, names)
        except PortalError as error:
            raise _in_part("rule", part.name, error) from None
        lines.append(line)
        first.append(rule)
    after = [*first, *(rule for rule in before if rule not in first)]
    if [rule for rule in after if rule in before] != before:
        orders = [{"names": [rule.name for rule in rules]} for rules in (before, after)]
        notes = ("those of the file come first",)
        lines.append(Line("rule", "Order of the rules", "changed", notes, *orders))
    number_rules(after)
    return lines


def _import_rule(
    session: Session, part: RulePart, rule: AlertRule | None, names: Names
) -> tuple[Line, AlertRule]:
    conditions = read_conditions(names.to_ids(part.conditions))
    steps = read_steps(names.to_ids(part.steps))
    draft = Draft(part.name, conditions, steps, part.go_on)
    if rule is None:
        rule = insert_rule(session, draft, is_on=part.switched_on)
        made = {**describe_rule(rule), "on": part.switched_on}
        word = "on" if part.switched_on else "off"
        return Line("rule", rule.name, "added", (word,), after=made), rule
    was, becomes = update_rule(rule, draft)
    line = changed("rule", rule.name, was, becomes)
    is_on = rule.switched_on_at is not None
    if part.switched_on is not is_on:
        rule.switched_on_at = utc_now() if part.switched_on else None
        notes = (*line.notes, "switched on" if part.switched_on else "switched off")
        facts = {"on": is_on, **was}, {"on": part.switched_on, **becomes}
        line = Line("rule", rule.name, "changed", notes, *facts)
    return line, rule


def _import_windows(
    session: Session, parts: Sequence[WindowPart], names: Names, by: str
) -> list[Line]:
    known = _Known(session.scalars(select_ahead(utc_now())).all())
    lines = []
    for part in parts:
        try:
            window = _to_window(part, names)
            row = known.take(part.name)
            if row is not None:
                lines.append(changed("window", row.name, *update_window(session, row, window)))
            elif (made := insert_window(session, window, by)) is None:
                lines.append(Line("window", window.name, "left out", ("it is over",)))
            else:
                lines.append(Line("window", made.name, "added", after=describe_window(made)))
        except PortalError as error:
            raise _in_part("window", part.name, error) from None
    return lines


def _to_window(part: WindowPart, names: Names) -> Window:
    """Checked as the form is."""
    repeats = as_plain(read_repeats(part.repeats))
    try:
        ends = datetime.fromisoformat(part.starts) + timedelta(minutes=part.minutes)
    except (ValueError, OverflowError):
        raise InvalidInput("“starts” must be such as 2026-11-28T22:00.", field="file") from None
    texts = ("interval", "day", "nth", "weekday", "days_after", "until")
    return read_draft(
        WindowDraft(
            name=part.name,
            zone=part.zone,
            starts=part.starts,
            ends=ends.isoformat(timespec="minutes"),
            scope=read_scope(names.to_ids(part.scope)),
            every=repeats.get("every", ONCE),
            weekdays=tuple(str(day) for day in repeats.get("weekdays", ())),
            **{name: str(repeats.get(name, "")) for name in texts},
        )
    )


class _Known(Generic[Row]):
    """What is there, by name; of several with one name, the first that was not taken yet."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._rows[name_key(row.name)].append(row)

    def take(self, name: str) -> Row | None:
        rows = self._rows[name_key(name)]
        return rows.pop(0) if rows else None


def _in_part(kind: str, name: str, error: PortalError) -> PortalError:
    """What is wrong, and with what."""
    message = f"The {kind} “{name}” cannot be taken over: {error.message}"
    return InvalidInput(message, field="file")

"""Helpdesks of a file: like channels they come without secrets, and those that are here keep their
settings."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.errors import InvalidInput
from portal.far_side.form import Rejected
from portal.helpdesks import KINDS
from portal.helpdesks.kind import HelpdeskKind
from portal.models import Helpdesk
from portal.services.far_sides import TARGET
from portal.services.helpdesks.changing import MOST_HELPDESKS
from portal.services.rules.file.content import HelpdeskPart
from portal.services.rules.file.outcome import Line, changed
from portal.services.rules.file.settings import check_settings, fill_up, find_missing, refuse
from portal.services.text import clean_line


def import_helpdesk(session: Session, part: HelpdeskPart) -> Line:
    """A new one opens nothing until its secrets are entered and it was tested. Raises
    InvalidInput."""
    name = clean_line(part.name, "file", "a name for the helpdesk")
    kind = KINDS.get(part.kind)
    if kind is None:
        raise InvalidInput(f"There is no kind of helpdesk “{part.kind}”.", field="file")
    check_settings(kind, part.settings)
    helpdesk = session.scalar(select(Helpdesk).where(func.lower(Helpdesk.name) == name.lower()))
    if helpdesk is None:
        return _add(session, kind, name, part)
    if helpdesk.kind != part.kind:
        raise InvalidInput(f"It is of the kind {helpdesk.kind} here.", field="file")
    line = changed("helpdesk", name, {}, {})
    if any(helpdesk.settings.get(field) != value for field, value in part.settings.items()):
        return Line(line.kind, name, line.action, ("its settings stay: change them on its page",))
    return line


def _add(session: Session, kind: HelpdeskKind, name: str, part: HelpdeskPart) -> Line:
    if (session.scalar(select(func.count(Helpdesk.id))) or 0) >= MOST_HELPDESKS:
        raise InvalidInput(f"There are already {MOST_HELPDESKS} helpdesks, the most allowed.")
    settings = fill_up(kind, part.settings)
    problems = find_missing(kind, settings)
    if not problems:
        try:
            settings[TARGET] = kind.check(settings, {})
        except Rejected as error:
            problems = {each: why for each, why in error.problems.items() if each in settings}
    refuse(problems)
    session.add(Helpdesk(kind=kind.name, name=name, active=False, settings=settings))
    notes = ("switched off until you enter its secrets",)
    return Line("helpdesk", name, "added", notes, after={"kind": kind.name, "active": False})

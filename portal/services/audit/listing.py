"""The audit trail as it is looked at: filtered, searched, a page at a time, and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, String, cast, select

from portal.clock import utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import AuditEntry
from portal.models.audit.entry import AuditRow
from portal.scope import all_tenants
from portal.services.audit.actions import Action
from portal.services.audit.chain import Chain, model_of
from portal.services.lists.search import any_contains, split_words

PAGE_SIZE = 50
EXPORTED_AT_ONCE = 500
MOST_DAYS = 100_000
TARGET_KINDS = (
    *("alert", "asset", "audit", "channel", "client", "conflict", "connection", "delivery"),
    *("install", "key"),
    *(
        "list",
        "network",
        "organization",
        "plan",
        "run",
        "subscriber",
        "tenant",
        "token",
        "user",
        "webhook",
    ),
)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Blank or 0: no condition. `who` is a part of a name, `what` an action or its first word,
    `target` a kind; `days` counts back from now."""

    who: str = ""
    what: str = ""
    target: str = ""
    days: int = 0
    search: str = ""

    def __bool__(self) -> bool:
        return bool(self.who or self.what or self.target or self.days or self.search)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`older`: the number to go on from, None at the end; `is_first`: begins at the newest."""

    items: Sequence[AuditRow]
    older: int | None
    is_first: bool


def list_page(chain: Chain, wanted: AuditFilter, before: int = 0) -> AuditPage:
    """The newest first; `before` is the number that the page before ended with."""
    query = select_rows(chain, wanted, before).limit(PAGE_SIZE + 1)
    with all_tenants():
        found = db.session.scalars(query).all()
    items = found[:PAGE_SIZE]
    older = items[-1].number if len(found) > PAGE_SIZE else None
    return AuditPage(items, older, not before)


def list_newest(chain: Chain, wanted: AuditFilter, most: int) -> list[AuditRow]:
    with all_tenants():
        return list(db.session.scalars(select_rows(chain, wanted).limit(most)))


def get_entry(chain: Chain, number: int) -> AuditRow:
    """Raises NotFound."""
    model = model_of(chain)
    with all_tenants():
        found = db.session.scalar(select_rows(chain, AuditFilter()).where(model.number == number))
    if found is None:
        raise NotFound(
            "This row of the audit trail does not exist, or is older than rows are kept."
        )
    return found


def walk_all(chain: Chain, wanted: AuditFilter) -> Iterator[AuditRow]:
    """The newest first, some in memory at a time."""
    before = 0
    while True:
        with all_tenants():
            query = select_rows(chain, wanted, before).limit(EXPORTED_AT_ONCE)
            rows = db.session.scalars(query).all()
        yield from rows
        if len(rows) < EXPORTED_AT_ONCE:
            return
        before = rows[-1].number
        db.session.expunge_all()


def list_action_groups() -> dict[str, list[Action]]:
    """The actions by their first words."""
    groups: dict[str, list[Action]] = {}
    for action in Action:
        groups.setdefault(action.partition(".")[0], []).append(action)
    return groups


def select_rows(chain: Chain, wanted: AuditFilter, before: int = 0) -> Select[AuditRow]:
    """The newest first; with `before` those with a lower number."""
    model = model_of(chain)
    conditions: list[ColumnElement[bool]] = []
    if chain is not None:
        conditions.append(AuditEntry.tenant_id == chain)
    if before:
        conditions.append(model.number < before)
    if wanted.what:
        groups = list_action_groups()
        conditions.append(model.action.in_(groups.get(wanted.what, [wanted.what])))
    if wanted.who:
        conditions.append(any_contains((model.actor_name,), wanted.who))
    if wanted.target:
        conditions.append(model.target_kind == wanted.target)
    if wanted.days:
        conditions.append(model.at >= utc_now() - timedelta(days=wanted.days))
    texts = (
        *(model.target_name, model.target_id, model.actor_name, model.address, model.action),
        *(model.request_id, cast(model.before, String), cast(model.after, String)),
    )
    conditions += [any_contains(texts, word) for word in split_words(wanted.search)]
    return select(model).where(*conditions).order_by(model.number.desc())

"""Verifying a chain: every row by its own code, and that none is missing between or after them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from portal.db import db, release
from portal.errors import InvalidInput, SecretUnreadable
from portal.models import AuditEntry, Tenant
from portal.models.audit.entry import AuditRow
from portal.scope import all_tenants
from portal.services.audit.actions import Action
from portal.services.audit.chain import FIRST, Chain, compute_mac, model_of, values_of
from portal.services.audit.keys import find_key

AT_ONCE = 1000
MOST_PROBLEMS = 100
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain as it was at some time."""

    number: int
    mac: str

    def __str__(self) -> str:
        return f"{self.number}:{self.mac}"


@dataclass(frozen=True, slots=True)
class Problem:
    """`number`: of the row at which it was found."""

    number: int
    message: str


@dataclass(slots=True)
class Verification:
    """`first`: the number of the oldest row that is kept; 0 where there is none."""

    chain: Chain
    rows: int = 0
    first: int = 0
    head: Head = field(default_factory=lambda: Head(0, FIRST))
    problems: list[Problem] = field(default_factory=list)
    is_cut: bool = False
    """Whether there were more problems than are listed."""

    @property
    def ok(self) -> bool:
        return not self.problems

    def add(self, number: int, message: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(number, message))
        else:
            self.is_cut = True


def read_head_text(text: str) -> Head:
    """Of what `verify` printed once. Raises InvalidInput."""
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            "A head is a number, a colon and 64 hexadecimal digits, as `portal audit verify` "
            "prints it.",
            field="head",
        )
    return Head(int(found[1]), found[2])


def list_chains() -> list[tuple[Chain, str]]:
    """That of the install, and each tenant's, with what it is called."""
    tenants = db.session.execute(select(Tenant.id, Tenant.slug).order_by(Tenant.slug))
    return [(None, ""), *((row.id, row.slug) for row in tenants)]


def verify(chain: Chain, earlier: Head | None = None) -> Verification:
    """The chain as it is now; `earlier` is a head that it must have had."""
    found, walk = Verification(chain), _Walk()
    with all_tenants():
        for row in _read_rows(chain):
            walk.take(row, found)
            if earlier is not None and earlier.number == row.number and earlier.mac != row.mac:
                found.add(row.number, "This row is not the one that the given head names.")
    _check_beginning(found, walk)
    if earlier is not None:
        _check_earlier(found, walk, earlier)
    return found


@dataclass(slots=True)
class _Walk:
    """What is known of a chain while it is read row by row."""

    keys: dict[str, bytes | None] = field(default_factory=dict)
    begins_after: Head = field(default_factory=lambda: Head(0, FIRST))
    checkpoints: set[Head] = field(default_factory=set)

    def take(self, row: AuditRow, found: Verification) -> None:
        last = found.head
        if not found.rows:
            found.first, self.begins_after = row.number, Head(row.number - 1, row.previous)
        elif row.number != last.number + 1:
            found.add(row.number, _describe_gap(last.number, row.number))
        elif row.previous != last.mac:
            found.add(row.number, "This row does not follow the one before it.")
        if self._is_authentic(row, found):
            self._note_checkpoint(row)
        found.rows, found.head = found.rows + 1, Head(row.number, row.mac)

    def _is_authentic(self, row: AuditRow, found: Verification) -> bool:
        if row.key_id not in self.keys:
            self.keys[row.key_id] = _find_key(row.key_id)
        key = self.keys[row.key_id]
        if key is None:
            found.add(
                row.number, f"The key {row.key_id!r}, with which this row was written, is gone."
            )
            return False
        if not hmac.compare_digest(compute_mac(key, found.chain, values_of(row)), row.mac):
            found.add(row.number, "This row was changed.")
            return False
        return True

    def _note_checkpoint(self, row: AuditRow) -> None:
        if row.action == Action.AUDIT_PRUNED and row.after is not None:
            self.checkpoints.add(Head(row.after["up_to"], row.after["mac"]))


def _read_rows(chain: Chain) -> Iterator[AuditRow]:
    """In the order of their numbers. One statement: it sees them as they are at one moment."""
    model = model_of(chain)
    query = select(model).order_by(model.number)
    if chain is not None:
        query = query.where(AuditEntry.tenant_id == chain)
    fresh = query.execution_options(yield_per=AT_ONCE, populate_existing=True)
    yield from db.session.scalars(fresh)
    release()


def _find_key(key_id: str) -> bytes | None:
    try:
        return find_key(key_id)
    except SecretUnreadable:
        return None


def _describe_gap(last: int, number: int) -> str:
    if number <= last:
        return "This number is there twice."
    if number == last + 2:
        return f"Row {last + 1} is missing."
    return f"Rows {last + 1} to {number - 1} are missing."


def _check_beginning(found: Verification, walk: _Walk) -> None:
    """A chain that does not begin at 1 begins where a checkpoint says."""
    begins = walk.begins_after
    if found.rows and begins.number and begins not in walk.checkpoints:
        found.add(found.first, f"{_describe_gap(0, found.first)} No checkpoint stands for them.")


def _check_earlier(found: Verification, walk: _Walk, earlier: Head) -> None:
    if earlier.number > found.head.number:
        found.add(
            found.head.number,
            f"The chain ends here, but the given head is row {earlier.number}: what came after "
            "was removed.",
        )
    elif earlier.number < found.first and earlier not in walk.checkpoints:
        message = "The given head is older than the rows that are kept, so it cannot be compared."
        found.add(found.first, message)

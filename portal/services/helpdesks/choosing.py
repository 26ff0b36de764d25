"""What a helpdesk calls its queues, customers and priorities, as people read and type it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from portal.db import db
from portal.helpdesks.kind import MOST_LISTED, Choice
from portal.models import Helpdesk
from portal.services.helpdesks.probing import Lists, parse_list, read_list


@dataclass(frozen=True, slots=True)
class Choices:
    """One of its lists. `labels`: by id, what tells each from the others."""

    listed: Sequence[Choice]
    labels: Mapping[str, str]

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than were asked for."""
        return len(self.listed) >= MOST_LISTED

    def show(self, id: str) -> str:
        """As it is typed; the id of one that is not listed."""
        return self.labels.get(id, id)

    def find(self, typed: str) -> Choice:
        """By its id, or as it is shown or called. What is not listed may be there all the same: the
        list is as old as it is, and kinds without one take any text."""
        typed, sought = " ".join(typed.split()), _fold(typed)
        names = [(each.id, self.labels[each.id], each.name) for each in self.listed]
        for called in zip(*names, strict=True):  # by all ids first
            folded = [_fold(each) for each in called]
            if folded.count(sought) == 1:
                return self.listed[folded.index(sought)]
        return Choice(typed, typed)

    def misses(self, id: str) -> bool:
        """Whether there is a list, and it is not on it."""
        return bool(self.listed) and id not in self.labels


def read_choices(helpdesk_id: int, which: Lists) -> Choices:
    """As they were last told."""
    return _make(read_list(helpdesk_id, which))


def read_all_choices() -> dict[int, dict[Lists, Choices]]:
    """Of all helpdesks by id, in the order of their names."""
    ordered = select(Helpdesk.id, Helpdesk.lists).order_by(func.lower(Helpdesk.name), Helpdesk.id)
    return {
        row.id: {which: _make(parse_list(row.lists, which)) for which in Lists}
        for row in db.session.execute(ordered)
    }


def _make(listed: Sequence[Choice]) -> Choices:
    called = Counter(_fold(each.name) for each in listed)
    labels = {
        each.id: each.name if called[_fold(each.name)] == 1 else f"{each.name} ({each.id})"
        for each in listed
    }
    return Choices(listed, labels)


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()

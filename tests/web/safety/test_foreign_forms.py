"""Whatever a form carries, another tenant's rows are not there: neither touched, shown nor kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, ClassVar

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient
from sqlalchemy import event, select
from werkzeug.datastructures import ImmutableMultiDict

from portal.db import Base, db
from portal.models import Membership
from portal.scope import all_tenants
from portal.web.input import to_id
from tests.audit.test_everything_is_recorded import ROUTES
from tests.stateful.tables import Dump
from tests.web.safety.test_isolation import address, methods, rows_of, tenant_rules
from tests.web.world import Place, make_place

pytestmark = pytest.mark.mainly("sqlite")

FIRST_ID, STEP = 9_100_000, 1000
"""SQLite goes on from the highest id of a table: in steps, no new row of ours has one of these."""
FOREIGN = re.compile(r"(?<!\d)9[12]\d\d000(?!\d)")
FIELDS = {
    **{"alert": "alert", "asset": "asset", "assets": "asset", "with": "asset"},
    "client": "client",
    **{"client_id": "client", "clients": "client", "conflict": "conflict"},
    **{"delivery": "delivery", "helpdesk": "helpdesk", "ticket_helpdesk": "helpdesk"},
    **{"notify": "channel", "escalate_to": "channel", "ticket": "ticket"},
    **{"organization": "organization", "rule": "rule", "token": "token", "watch": "watch"},
    "window": "window",
}
"""Field -> what it names. One that is read as an id, or has the name of a kind of rows, stands
here."""
OTHERS = {
    "organizations": "Tactical's numbers, which mean something at the tenant's own server alone.",
    "view": "Of the address, by which a page marks what it shows.",
}
"""They have such a name, and carry no id of a row."""
OF_NO_KIND = {"notify", "escalate_to", "ticket_helpdesk"}
"""Of these, neither the name nor how it is read tells what they are."""
SHOWN = re.compile(r"Other (?:Client|IT|Organization|Desk|Room|Suite|servers)|other-pc")
MORE: dict[str, tuple[dict[str, str], ...]] = {
    "conflicts.settle": ({"one": "separate-{conflict}"}, {"all": "separate"}),
}
"""What a form says by a word, once in each way."""
LAST = ("delete", "remove", "remove_created", "disconnect", "end", "unlink", "unmap", "revoke")
"""What these take away, the others are about."""


@contextmanager
def numbered_apart() -> Iterator[None]:
    """Rows get ids that nothing else is."""
    numbers = count(FIRST_ID, STEP)

    def number(_mapper: object, _connection: object, row: Any) -> None:
        if hasattr(row, "id") and row.id is None:
            row.id = next(numbers)

    event.listen(Base, "before_insert", number, propagate=True)
    try:
        yield
    finally:
        event.remove(Base, "before_insert", number)


class Asked(ImmutableMultiDict[str, str]):
    """A form that notes what is asked for by name, and what of it is read as an id."""

    names: ClassVar[set[str]] = set()
    ids: ClassVar[set[str]] = set()

    # Werkzeug has overloads for each type: one signature is enough to listen.
    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        self._note(key, type)
        return super().get(key, default, type)

    def getlist(self, key: str, type: Any = None) -> Any:
        self._note(key, type)
        return super().getlist(key, type)

    def __contains__(self, key: object) -> bool:
        self._note(str(key), None)
        return super().__contains__(key)

    def _note(self, key: str, type: Any) -> None:
        self.names.add(key)
        if type is to_id:
            self.ids.add(key)


def test_every_post_leaves_another_tenant_alone(
    app: Flask, owner: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with numbered_apart():
        other = make_place(app, "other")
    before, wrong = rows_of(app, other), {}
    foreign = carry_foreign(app, other)
    monkeypatch.setattr(Request, "parameter_storage_class", Asked)
    rules = [rule for rule in tenant_rules(app) if set(methods(rule)) - {"GET"}]
    for rule in sorted(rules, key=lambda each: each.endpoint.partition(".")[2] in LAST):
        drive = ROUTES.get(rule.endpoint)
        for more in MORE.get(rule.endpoint, ({},)):
            words = {name: text.format(**foreign) for name, text in more.items()}
            data = foreign | words | (drive.form if drive else {}) | {"which": "chosen"}
            answer = owner.post(address(rule, acme.slug, acme), data=data)
            shown = SHOWN.findall(answer.get_data().decode(errors="replace"))
            if answer.status_code >= 500 or shown:
                wrong[rule.endpoint] = (answer.status_code, shown)
    assert wrong == {}
    assert rows_of(app, other) == before
    assert list_kept(rows_of(app, acme)) == set()
    kinds = set(Place.__slots__)
    alike = {name for name in Asked.names if name.removesuffix("s").removesuffix("_id") in kinds}
    read = {name for name in Asked.ids | alike if not re.search(r"\d", name)}
    assert read - OTHERS.keys() == FIELDS.keys() - OF_NO_KIND
    assert Asked.names >= OF_NO_KIND


def list_kept(rows: Dump) -> set[tuple[str, str, str]]:
    """Table, column and value of whatever names a row of the other tenant."""
    return {
        (table, column, str(value)[:200])
        for table, found in rows.items()
        for row in found.values()
        for column, value in row.items()
        if FOREIGN.search(str(value))
    }


def carry_foreign(app: Flask, other: Place) -> dict[str, Any]:
    """Also what says by a word with an id in it, or by the id of a place, what it is about."""
    ids = {name: getattr(other, kind) for name, kind in FIELDS.items()}
    with app.app_context(), all_tenants():
        place = select(Membership.id).where(Membership.user_id == other.member)
        assignee = db.session.scalar(place)
        db.session.remove()
    more = {f"customer-{other.client}": "Contoso", "assigned_to": assignee}
    return ids | more

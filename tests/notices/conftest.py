"""A tenant in which nothing is wrong, an owner, and a mail channel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.ctx import AppContext
from sqlalchemy import delete, select

from portal.db import db, transaction
from portal.models import Channel, Membership, Message, Notice, SoftwareMatch, SyncPlan
from portal.scope import tenant_scope
from tests.web.world import Place, make_place, make_user

OWNER = "olga@acme.example"


@pytest.fixture
def place(app: Flask) -> Place:
    place = make_place(app)
    make_user(app, OWNER, place, role="owner")
    return place


@pytest.fixture
def scope(place: Place, app_context: AppContext) -> Iterator[Place]:
    """The tenant's scope, without the held plan, the channel and the match of a watch that
    `make_place` puts there."""
    with tenant_scope(place.id):
        with transaction() as session:
            session.execute(delete(SyncPlan))
            session.execute(delete(SoftwareMatch))
            session.execute(delete(Channel))
        yield place


@pytest.fixture
def mail(scope: Place) -> int:
    return add_channel()


def add_channel(kind: str = "mail", name: str = "Mail") -> int:
    with transaction() as session:
        channel = Channel(kind=kind, name=name)
        session.add(channel)
        session.flush()
        return channel.id


def change(model: type, row_id: int | None = None, **values: object) -> None:
    """The row of this id, or the only one."""
    with transaction() as session:
        row = session.get(model, row_id) if row_id else session.scalars(select(model)).one()
        for name, value in values.items():
            setattr(row, name, value)


def notices() -> list[Notice]:
    db.session.rollback()
    query = select(Notice).order_by(Notice.id).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


def messages() -> list[Message]:
    db.session.rollback()
    query = select(Message).order_by(Message.id).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


def membership(role: str = "owner") -> int:
    found = db.session.scalar(select(Membership.id).where(Membership.role == role))
    assert found is not None
    return found

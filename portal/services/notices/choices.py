"""Which notices a person gets, and by which channels: their own choice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import Channel, Membership, NoticeChoice, User
from portal.models.notices.notice import NoticeKind
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.channels.listing import list_names
from portal.services.notices.audience import PERSONAL, Audience, Listener, load_audience

Choice = tuple[NoticeKind, int]
"""A kind, by the channel of this id."""


@dataclass(frozen=True, slots=True)
class OfferedChannel:
    id: int
    name: str
    is_personal: bool
    """It writes to the person's own address."""
    is_active: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody gets. `by_default`: the person has chosen nothing so far."""

    channels: list[OfferedChannel]
    chosen: frozenset[Choice]
    by_default: bool


def read_choices(membership_id: int) -> Choices:
    """Of an open place in the scope's tenant that is not limited to some clients."""
    session = db.session()
    found = session.execute(
        select(Channel.id, Channel.name, Channel.kind, Channel.active).order_by(Channel.id)
    ).all()
    channels = [OfferedChannel(row.id, row.name, row.kind in PERSONAL, row.active) for row in found]
    audience = load_audience(session)
    listener = _find(audience, membership_id)
    return Choices(channels, _list_chosen(audience, listener), listener.chosen is None)


def choose(membership_id: int, email: str, chosen: Collection[Choice]) -> None:
    """From now on the person gets these and no others. Raises InvalidInput for a channel that is
    gone."""
    with transaction() as session:
        audience = load_audience(session)
        before = _list_chosen(audience, _find(audience, membership_id))
        names = list_names()
        if {channel_id for _, channel_id in chosen} - names.keys():
            raise InvalidInput(
                "One of these channels does not exist any more. Choose again.", field="choices"
            )
        membership = session.get_one(Membership, membership_id, with_for_update=True)
        membership.notices_chosen_at = utc_now()
        of_person = delete(NoticeChoice).where(NoticeChoice.membership_id == membership_id)
        session.execute(of_person.execution_options(synchronize_session=False))
        session.add_all(
            NoticeChoice(membership_id=membership_id, kind=kind, channel_id=channel_id)
            for kind, channel_id in sorted(set(chosen))
        )
        record(
            Action.NOTICES_CHOSEN,
            Target("user", membership.user_id, email),
            {"notices": _describe(before, names)},
            {"notices": _describe(chosen, names)},
        )


def forget_channel(session: Session, channel_id: int) -> list[str]:
    """Before it is deleted. Who chose this one alone would hear nothing any more, without having
    wished so: they get what their role does again. Their addresses."""
    others = exists().where(
        NoticeChoice.membership_id == Membership.id, NoticeChoice.channel_id != channel_id
    )
    by_it = exists().where(
        NoticeChoice.membership_id == Membership.id, NoticeChoice.channel_id == channel_id
    )
    found = session.execute(
        select(Membership, User.email)
        .join(User, User.id == Membership.user_id)
        .where(by_it, ~others)
        .order_by(User.email)
        .with_for_update(of=Membership)
    ).all()
    for row in found:
        row.Membership.notices_chosen_at = None
    return [row.email for row in found]


def _find(audience: Audience, membership_id: int) -> Listener:
    return next(each for each in audience.listeners if each.membership_id == membership_id)


def _list_chosen(audience: Audience, listener: Listener) -> frozenset[Choice]:
    """Those by channels that are switched off, too: they count again when these are switched on."""
    if listener.chosen is not None:
        return listener.chosen
    return frozenset(
        (kind, channel_id)
        for kind in NoticeKind
        for channel_id in audience.list_chosen(listener, kind)
    )


def _describe(chosen: Collection[Choice], names: dict[int, str]) -> list[str]:
    """For the audit trail."""
    return sorted(f"{kind} by {names[channel_id]}" for kind, channel_id in chosen)

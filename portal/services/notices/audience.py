"""Who is told of which notices, and by which channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import Channel, Membership, NoticeChoice, User
from portal.models.notices.notice import NoticeKind
from portal.services.accounts.permissions import Permission, Role, role_allows
from portal.services.accounts.places import IS_OPEN

PERSONAL: Final = ("mail",)
"""Kinds of channels that send to a person's own address. The others reach a room or a phone, once
for all who chose them."""
TOLD_BY_DEFAULT: Final = (Role.OWNER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who may be told. `chosen`: kinds and channels; None: what the role gets."""

    membership_id: int
    email: str
    role: str
    chosen: frozenset[tuple[NoticeKind, int]] | None


@dataclass(frozen=True, slots=True)
class Route:
    """One message: to a person by a channel, or to all whom the channel itself names."""

    channel_id: int
    membership_id: int | None = None
    recipient: str | None = None

    @property
    def ending(self) -> str:
        """Of the keys of its messages."""
        return f"c{self.channel_id}" + (f":{self.membership_id}" if self.membership_id else "")


@dataclass(frozen=True, slots=True)
class Audience:
    """Of one tenant. `channels`: id -> kind, of those that are switched on, the oldest first."""

    listeners: tuple[Listener, ...]
    channels: dict[int, str]

    def list_routes(self, kind: NoticeKind, subject: str) -> list[Route]:
        """How a notice is told. That a channel fails is told by the others."""
        failing = int(subject) if kind is NoticeKind.CHANNEL_FAILING else None
        found = {
            self.find_route(listener, channel_id)
            for listener in self.listeners
            for channel_id in self.list_chosen(listener, kind)
            if channel_id != failing
        }
        if not found and failing is not None:
            found = set(self._list_others(failing))
        return sorted(found, key=lambda route: (route.channel_id, route.membership_id or 0))

    def list_chosen(self, listener: Listener, kind: NoticeKind) -> list[int]:
        """The channels by which somebody gets notices of a kind."""
        if listener.chosen is not None:
            return [each for each in self.channels if (kind, each) in listener.chosen]
        first = self.find_default()
        return [first] if first is not None and listener.role in TOLD_BY_DEFAULT else []

    def find_default(self) -> int | None:
        """The first mail channel."""
        return next((each for each, kind in self.channels.items() if kind in PERSONAL), None)

    def _list_others(self, failing: int) -> Iterator[Route]:
        """Nobody would be told that this channel fails: those who listen by it are, by the first
        other one."""
        other = next((each for each in self.channels if each != failing), None)
        for listener in self.listeners:
            if other is not None and failing in self.list_chosen(
                listener, NoticeKind.CHANNEL_FAILING
            ):
                yield self.find_route(listener, other)

    def find_route(self, listener: Listener, channel_id: int) -> Route:
        if self.channels[channel_id] in PERSONAL:
            return Route(channel_id, listener.membership_id, listener.email)
        return Route(channel_id)


def load_audience(session: Session) -> Audience:
    """Of the scope's tenant: everybody whose place is open and not limited to some clients."""
    channels = session.execute(
        select(Channel.id, Channel.kind).where(Channel.active).order_by(Channel.id)
    )
    return Audience(tuple(list_listeners(session)), {row.id: row.kind for row in channels})


def list_listeners(session: Session) -> Iterable[Listener]:
    """By address."""
    choices: dict[int, set[tuple[NoticeKind, int]]] = {}
    for each in session.scalars(select(NoticeChoice)):
        choices.setdefault(each.membership_id, set()).add((each.kind, each.channel_id))
    members = session.execute(
        select(Membership.id, Membership.role, Membership.notices_chosen_at, User.email)
        .join(User, User.id == Membership.user_id)
        .where(IS_OPEN, ~Membership.limited)
        .order_by(User.email)
    )
    for row in members:
        if role_allows(row.role, Permission.READ_CONNECTION):
            has_chosen = row.notices_chosen_at is not None
            chosen = frozenset(choices.get(row.id, ())) if has_chosen else None
            yield Listener(row.id, row.email, row.role, chosen)

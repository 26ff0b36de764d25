"""What is compared where it is asked whether two records are of one computer. Values only.

All moments must be of one clock: that of Tactical, which says when an agent was last seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.sync.devices.identity.serials import real_serial


@dataclass(frozen=True, slots=True, kw_only=True)
class Computer:
    """What an agent reports of the computer that it runs on. Names and ids as text of Tactical."""

    agent_id: str
    name: str
    client_id: int
    organization_id: str
    serial_number: str | None = None
    """As Tactical reports it; `serial` is the real one, if it is one."""
    os_type: str | None = None
    """`Windows`, `Linux`, `macOS`"""
    make_model: str | None = None
    mac_addresses: frozenset[str] = frozenset()
    last_seen: datetime | None = None
    serial: str | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "serial", real_serial(self.serial_number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer(Computer):
    """A listed agent of a synced organization whose computer may be known already.

    It has no asset; or, with `asset_id`, it has one that never had a real serial number until now
    (a fresh agent sends its hardware later than itself).
    """

    status: str
    first_listed_at: datetime
    """When a listing held it for the first time; `now` if this one is the first."""
    asset_id: int | None = None
    edited: bool = False
    """A person changed something of that asset by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownComputer(Computer):
    """An asset as it is now: with the serial number of this listing, where that has its agent."""

    asset_id: int
    client_locked: bool = False
    status: str | None = None
    """Tactical's word in this listing; None where its agent is not listed any more."""
    offline_minutes: int | None = None
    missing_since: datetime | None = None
    retired_at: datetime | None = None
    set_aside: bool = False
    """It is of an integration that is set aside: nobody asks about its agent."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """An agent whose asset went over to another one, as its re-installation."""

    asset_id: int
    superseded_at: datetime
    revived: bool = False
    """It checked in again, and that was reported: since then it is an agent like any other."""


class Identity(StrEnum):
    """What becomes of a newcomer."""

    CREATE = "create"
    """An asset of its own."""
    KEEP = "keep"
    """The asset that it has remains its own."""
    RELINK = "relink"
    """It is the one computer in `assets`: that asset becomes its."""
    MERGE = "merge"
    """The same of a newcomer that has an asset: that one goes into the one in `assets`."""
    WAITING = "waiting"
    """Too early to say: decided anew by the next sync. Nothing is written."""
    CONFLICT = "conflict"
    """A person decides; until then it has an asset of its own."""
    OFFER = "offer"
    """As a conflict, for an asset of an integration that is set aside."""
    SUGGESTION = "suggestion"
    """It has an asset of its own, and a person may look whether it is another's."""
    SKIPPED = "skipped"
    """It is superseded and silent: nothing of it is used."""


class Kind(StrEnum):
    """Why a person is asked."""

    CLONE = "clone"
    SEVERAL = "several"
    STILL_ONLINE = "still_online"
    NOT_NEWER = "not_newer"
    SHARED_SERIAL = "shared_serial"
    EDITED = "edited"
    REVIVED = "revived"
    SHARED_AGENT = "shared_agent"
    SET_ASIDE = "set_aside"
    SAME_SERIAL = "same_serial"
    SAME_NAME = "same_name"
    SAME_MAC = "same_mac"
    SAME_MODEL = "same_model"


_ASKS_PERSON = {Identity.CONFLICT, Identity.OFFER, Identity.SUGGESTION}
_WITH_AN_ASSET = {Identity.CREATE, *_ASKS_PERSON}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one newcomer, and why."""

    newcomer: Newcomer
    action: Identity
    reason: str
    """A full sentence for people."""
    kind: Kind | None = None
    """Of a conflict, an offer and a suggestion."""
    assets: tuple[int, ...] = ()
    """The assets in question, at most ten, in order of their ids."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What it rests on, as JSON: see `evidence_of`."""

    @property
    def makes_asset(self) -> bool:
        return self.newcomer.asset_id is None and self.action in _WITH_AN_ASSET

    @property
    def asks_person(self) -> bool:
        return self.action in _ASKS_PERSON

    @property
    def needs_person(self) -> bool:
        """Something stays open until a person answers: more than a look that may pay."""
        return self.action is Identity.CONFLICT

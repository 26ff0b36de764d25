"""A labelled set: computers whose truth is known, and what a portal sees of them.

A case is made of computers, each with a name of its own (`pc`), and of what was done to them.
Agents and assets remember on which computer they truly are; the ladder is not told. The serial
number is that of the computer, or of what it was cloned from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Any

from portal.sync.devices.identity.computers import KnownComputer, Newcomer, Superseded
from tests.sync.identity.computers import NOW, ago

MODELS = ("HP ProDesk 600 G4", "Dell Inc. OptiPlex 7050", "LENOVO ThinkPad T14", None)
SYSTEMS = ("Windows", "Windows", "Windows", "Linux", "macOS")
JUNK = (None, "", "To be filled by O.E.M.", "Default string", "System Serial Number", "00000000")


class Label(Enum):
    RELINK = "its computer has one asset, and nothing speaks against it"
    QUEUE = "more than one answer fits: a person decides"
    NEW = "its computer has no asset, or none that anything shows"


@dataclass
class Case:
    """All ids are unique in the whole set."""

    number: int
    kind: str
    label: Label
    newcomers: list[Newcomer] = field(default_factory=list)
    assets: list[KnownComputer] = field(default_factory=list)
    superseded: dict[str, Superseded] = field(default_factory=dict)
    kept_apart: set[tuple[str, int]] = field(default_factory=set)
    computer_of: dict[str | int, str] = field(default_factory=dict)
    """The truth: agent_id or asset id to computer."""


class Maker:
    """Makes the parts of one case, each with what does not matter left to chance."""

    def __init__(self, number: int, kind: str, label: Label, dice: Random) -> None:
        self.case = Case(number, kind, label)
        self.dice = dice
        self.listed_at = ago(dice.uniform(61, 3_000))
        letters = "ABCDEFGHJKLMNPRSTVWXYZ"
        self.serial = (
            f"{dice.choice(letters)}{dice.choice(letters)}{number:05}{dice.choice(letters)}"
        )
        self.client, self.organization = dice.randrange(1, 5), str(dice.randrange(10, 20))
        self.hardware = {
            "os_type": dice.choice(SYSTEMS),
            "make_model": dice.choice(MODELS),
            "name": dice.choice((f"PC-{number}", "localhost", f"Büro {number % 7}")),
        }

    def asset(self, pc: str = "one", before: float | None = None, **facts: Any) -> KnownComputer:
        """Of a computer whose agent was last seen `before` minutes before the newcomer came."""
        asset_id = 10 * self.case.number + len(self.case.assets) + 1
        before = self.dice.uniform(31, 50_000) if before is None else before
        limit = self.dice.choice((None, 4, 10, 30))
        asset = KnownComputer(
            asset_id=asset_id,
            agent_id=f"agent-of-{asset_id}",
            **self._told({"last_seen": self.before(before), "offline_minutes": limit} | facts),
        )
        self.case.assets.append(asset)
        self.case.computer_of |= {asset_id: pc, asset.agent_id: pc}
        return asset

    def newcomer(self, pc: str = "one", **facts: Any) -> Newcomer:
        agent_id = f"new-{self.case.number}-{len(self.case.newcomers)}"
        moments = {"first_listed_at": self.listed_at, "last_seen": ago(self.dice.uniform(0, 3))}
        told = self._told(moments | {"status": "online"} | facts)
        newcomer = Newcomer(agent_id=agent_id, **told)
        self.case.newcomers.append(newcomer)
        self.case.computer_of[agent_id] = pc
        return newcomer

    def before(self, minutes: float) -> datetime:
        return self.listed_at - timedelta(minutes=minutes)

    def since(self) -> datetime:
        """Some moment while the newcomer was there."""
        return self.listed_at + self.dice.random() * (NOW - self.listed_at)

    def word(self) -> str:
        return self.dice.choice(("offline", "overdue"))

    def _told(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        serial = self.dice.choice((self.serial, self.serial.lower(), f" {self.serial}  "))
        place = {"client_id": self.client, "organization_id": self.organization}
        return {"serial_number": serial} | place | self.hardware | dict(facts)


def deleted(make: Maker) -> None:
    make.asset(missing_since=make.dice.choice((None, make.since())))
    make.newcomer(name=make.dice.choice((make.hardware["name"], "REINSTALLED")))


def left_behind(make: Maker) -> None:
    make.asset(status=make.word())
    make.newcomer(make_model=make.dice.choice((make.hardware["make_model"], None)))


def retired(make: Maker) -> None:
    make.asset(missing_since=make.before(5), retired_at=make.before(1))
    make.newcomer()


def chosen_client(make: Maker) -> None:
    make.asset(client_id=9, client_locked=True, status=make.word())
    make.newcomer()


def among_others(make: Maker) -> None:
    """Beside computers of the same name and model, and one of before that changed hands."""
    make.asset("two", serial_number=f"{make.serial}9", status="online", last_seen=NOW)
    make.asset("one", status="overdue")
    make.asset("one", client_id=8, before=90_000)
    make.newcomer()


def reinstalled_again(make: Maker) -> None:
    current = make.asset(status=make.word(), before=40)
    old = make.newcomer(last_seen=make.before(500))
    made_at = make.before(400)
    make.case.superseded[old.agent_id] = Superseded(current.asset_id, made_at)
    make.newcomer()


def late(make: Maker, **facts: Any) -> None:
    make.asset(status=make.word())
    own = make.asset(status="online", last_seen=NOW)
    make.newcomer(asset_id=own.asset_id, **facts)


def just_now(make: Maker) -> None:
    """The old agent counts as online for some minutes yet."""
    make.listed_at = ago(make.dice.uniform(0.5, 2))
    make.asset(status="online", before=1, offline_minutes=4)
    make.newcomer(last_seen=NOW)


def cloned(make: Maker) -> None:
    make.asset("original", status="online", last_seen=make.since())
    make.newcomer("clone")


def cloned_and_off(make: Maker) -> None:
    make.asset("original", status=make.word(), last_seen=make.since())
    make.newcomer("clone")


def cloned_and_deleted(make: Maker) -> None:
    make.asset("original", last_seen=make.since())
    make.newcomer("clone")


def long_limit(make: Maker) -> None:
    make.asset("original", status="online", before=1, offline_minutes=10_000)
    make.newcomer("clone")


def several_assets(make: Maker) -> None:
    make.asset("one", status=make.word())
    make.asset("two", status=make.dice.choice((None, "online")))
    make.newcomer(make.dice.choice(("one", "two", "three")))


def several_agents(make: Maker) -> None:
    make.asset("one")
    make.newcomer("one")
    make.newcomer("two", client_id=make.dice.choice((make.client, 9)))


def several_agents_alone(make: Maker) -> None:
    make.newcomer("one")
    make.newcomer("two")


def in_use_elsewhere(make: Maker) -> None:
    make.asset("one", status=make.word())
    make.asset("two", client_id=9, status="online", last_seen=make.since())
    make.newcomer(make.dice.choice(("one", "three")))


def kept_apart_once(make: Maker) -> None:
    asset = make.asset("one")
    make.case.kept_apart.add((f"gone-{asset.asset_id}", asset.asset_id))
    make.newcomer("two")


def older_agent(make: Maker) -> None:
    make.asset("one", status="overdue", before=10)
    make.newcomer("two", last_seen=make.before(1_000))


def revived(make: Maker) -> None:
    asset = make.asset("clone", status="online", last_seen=NOW)
    original = make.newcomer("original")
    make.case.superseded[original.agent_id] = Superseded(asset.asset_id, make.before(5))


def edited(make: Maker) -> None:
    late(make, edited=True)


def unknown(make: Maker) -> None:
    make.asset("one", serial_number=f"{make.serial}9", status="overdue", name="OTHER")
    make.newcomer("two")


def junk(make: Maker) -> None:
    serial = make.dice.choice(JUNK)
    make.asset("one", serial_number=serial, status=make.word())
    make.newcomer("two", serial_number=serial)


def other_client(make: Maker) -> None:
    make.asset("one", client_id=9)
    make.newcomer("two")


def other_hardware(make: Maker) -> None:
    make.asset("one", os_type="Windows", make_model="Acer Aspire")
    make.newcomer("two", os_type="Windows", make_model="Fujitsu Esprimo")


def new_board(make: Maker) -> None:
    """The old board went into another computer; the asset has a new one."""
    make.asset("one", serial_number=f"{make.serial}N", status="online", last_seen=NOW)
    make.newcomer("two")


_Kind = Callable[[Maker], None]
KINDS: dict[Label, tuple[_Kind, ...]] = {
    Label.RELINK: (
        *(deleted, left_behind, retired, chosen_client),
        *(among_others, reinstalled_again, late, just_now),
    ),
    Label.QUEUE: (
        *(cloned, cloned_and_off, cloned_and_deleted, long_limit, several_assets),
        *(several_agents, several_agents_alone, in_use_elsewhere, kept_apart_once, older_agent),
        *(revived, edited),
    ),
    Label.NEW: (unknown, junk, other_client, other_hardware, new_board),
}
SHARES = {Label.RELINK: 5, Label.QUEUE: 3, Label.NEW: 2}


def make_cases(count: int, seed: int) -> list[Case]:
    dice = Random(seed)
    labels = dice.choices(list(SHARES), list(SHARES.values()), k=count)
    return [_make_case(number, label, dice) for number, label in enumerate(labels, 1)]


def _make_case(number: int, label: Label, dice: Random) -> Case:
    kind = dice.choice(KINDS[label])
    make = Maker(number, kind.__name__, label, dice)
    kind(make)
    return make.case

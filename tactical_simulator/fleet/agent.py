"""One agent's row: the columns of Tactical's Agent table but for the two heavy ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from tactical_simulator.clock import moment
from tactical_simulator.fleet.dice import Dice, letters
from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.fleet.hostnames import hostname_of
from tactical_simulator.fleet.names import (
    FIRST_NAMES,
    LAST_NAMES,
    LINUX_SYSTEMS,
    MAC_SYSTEMS,
    SERVER_NOTES,
    SERVER_SYSTEMS,
    VERSIONS,
    WORKSTATION_NOTES,
    WORKSTATION_SYSTEMS,
    ZONES,
)
from tactical_simulator.fleet.places import DAY, Client, Site

WEEK_MINUTES = 10_080
NOBODY = "None"
"""What Windows agents report when nobody is logged in: 532 of 1,000 agents of a live server."""

SETTABLE = ("description", "offline_time", "overdue_time", "maintenance_mode", "site")
"""What a PUT of either API may change; other members are ignored."""


class Agent(msgspec.Struct):
    """`checkin` is the second of the minute at which a live agent reports; None: it does not."""

    pk: int
    agent_id: str
    hostname: str
    site: int
    plat: str
    goarch: str
    monitoring_type: str
    operating_system: str | None = None
    version: str = "2.11.0"
    description: str | None = ""
    public_ip: str | None = None
    total_ram: int | None = None
    disks: list[dict[str, Any]] | None = None
    boot_time: float | None = None
    logged_in_username: str | None = NOBODY
    last_logged_in_user: str | None = None
    last_seen: datetime | None = None
    checkin: int | None = None
    needs_reboot: bool = False
    maintenance_mode: bool = False
    offline_time: int = 4
    overdue_time: int = 30
    overdue_dashboard_alert: bool = False
    choco_installed: bool = False
    block_policy_inheritance: bool = False
    patches_last_installed: datetime | None = None
    time_zone: str | None = None
    created: float = 0.0

    @property
    def is_posix(self) -> bool:
        return self.plat != "windows"


EDITABLE = frozenset(Agent.__struct_fields__) - {"pk"}


def agent_id_of(seed: int, pk: int) -> str:
    return letters(40, seed, "agent", pk)


def site_of(seed: int, pk: int, sites: int) -> int:
    """Early sites are bigger, as headquarters are."""
    dice = Dice(seed, "place", pk)
    return min(dice.below(sites), dice.below(sites)) + 1


def generate_agent(
    spec: FleetSpec,
    epoch: float,
    pk: int,
    clients: Mapping[int, Client],
    sites: Mapping[int, Site],
) -> Agent:
    """A pure function of the seed and `pk`; `clients` and `sites` are those first generated."""
    dice = Dice(spec.seed, "machine", pk)
    platform = dice.below(100)
    plat = "windows"
    if platform >= spec.windows:
        plat = "linux" if platform < spec.windows + spec.linux else "darwin"
    is_server = plat == "linux" or (plat == "windows" and dice.chance(18))
    site = sites[site_of(spec.seed, pk, len(sites))]
    agent = Agent(
        pk=pk,
        agent_id=agent_id_of(spec.seed, pk),
        hostname=hostname_of(plat, is_server, pk, clients[site.client].name, site.name, dice),
        site=site.pk,
        plat=plat,
        goarch="arm64" if plat == "darwin" else "amd64",
        monitoring_type="server" if is_server else "workstation",
    )
    _fill_system(agent, is_server, dice)
    _fill_user(agent, is_server, dice)
    _fill_times(agent, spec.frozen, epoch, dice)
    return agent


def _fill_system(agent: Agent, is_server: bool, dice: Dice) -> None:
    if agent.plat == "linux":
        agent.operating_system = dice.choice(LINUX_SYSTEMS)
    elif agent.plat == "darwin":
        agent.operating_system = dice.choice(MAC_SYSTEMS)
    else:
        agent.operating_system = dice.choice(SERVER_SYSTEMS if is_server else WORKSTATION_SYSTEMS)
    if "32 bit" in agent.operating_system:
        agent.goarch = "386"
    agent.version = dice.choice(VERSIONS)
    agent.description = dice.choice(SERVER_NOTES if is_server else WORKSTATION_NOTES)
    agent.public_ip = None if dice.chance(2) else f"203.0.113.{agent.site % 250 + 1}"
    agent.total_ram = dice.choice((32, 64, 128, 256) if is_server else (4, 8, 16, 16, 32))
    agent.disks = _disks(agent.plat, dice)
    agent.needs_reboot = dice.chance(12)
    agent.maintenance_mode = dice.chance(3)
    agent.choco_installed = agent.plat == "windows" and dice.chance(40)
    agent.time_zone = dice.choice(ZONES)


def _disks(plat: str, dice: Dice) -> list[dict[str, Any]]:
    devices = {"windows": ("C:", "D:"), "linux": ("/dev/sda1", "/dev/sdb1"), "darwin": ("disk1",)}
    disks = []
    for device in devices[plat][: 1 + dice.below(2)]:
        total, percent = dice.choice((237, 476, 931, 1862)), 5 + dice.below(94)
        used = total * percent / 100
        disks.append({
            "free": f"{total - used:.1f} GB",
            "used": f"{used:.1f} GB",
            "total": f"{total}.0 GB",
            "device": device,
            "fstype": {"windows": "NTFS", "linux": "ext4", "darwin": "apfs"}[plat],
            "percent": percent,
        })  # fmt: skip
    return disks


def _fill_user(agent: Agent, is_server: bool, dice: Dice) -> None:
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    name = f"{first[0]}{last}" if dice.chance(60) else f"{first}.{last}"
    draw = dice.below(100)
    agent.last_logged_in_user = None if draw < 4 else name
    if draw < 2:
        agent.logged_in_username = None
    elif draw < (25 if is_server else 60):
        agent.logged_in_username = "administrator" if is_server else name


def _fill_times(agent: Agent, frozen: bool, epoch: float, dice: Dice) -> None:
    """About 75% online, 10% offline and 15% overdue, and so for a week.

    Machines that are offline for longer than half an hour are given a long overdue time, as
    technicians do for laptops; otherwise a demo's offline agents would all be overdue soon.
    """
    draw, phase = dice.below(1000), dice.below(60)
    agent.created = epoch - (30 + dice.below(360)) * DAY
    age = float(phase)
    if draw < 750:
        agent.checkin = None if frozen else phase
        agent.overdue_time = dice.choice((30, 30, 30, 15, 1440))
    elif draw < 845:
        age = 600.0 + dice.below(2 * DAY)
        agent.overdue_time = WEEK_MINUTES
    else:
        age = 3600.0 + dice.below(60 * DAY)
        agent.offline_time = dice.choice((4, 4, 4, 10))
    seen = epoch - age - dice.below(1_000_000) / 1e6
    never_seen = 845 <= draw < 850  # installed, never reported: null is offline
    agent.last_seen = None if never_seen else moment(seen)
    agent.boot_time = None if draw % 50 == 7 else round(seen - dice.below(40 * DAY), 6)
    if not agent.is_posix and dice.chance(70):
        agent.patches_last_installed = moment(seen - dice.below(30 * DAY))

"""Host names as they are found: by place and role, by user, by the factory, and odd ones."""

from __future__ import annotations

from tactical_simulator.fleet.dice import Dice
from tactical_simulator.fleet.names import FIRST_NAMES, LINUX_HOSTS, ODD_HOSTS, SERVER_ROLES
from tactical_simulator.fleet.places import code


def hostname_of(
    plat: str, is_server: bool, pk: int, client_name: str, site_name: str, dice: Dice
) -> str:
    if plat == "linux":
        # The same few names at every company: host names are not unique across clients.
        return f"{dice.choice(LINUX_HOSTS)}{1 + dice.below(3):02d}"
    first = dice.choice(FIRST_NAMES)
    if plat == "darwin":
        return f"{first.capitalize()}s-MacBook-Pro.local" if dice.chance(50) else f"mac-{pk:04d}"
    place = f"{code(client_name, 3)}-{code(site_name, 2)}"
    if is_server:
        return f"{place}-{dice.choice(SERVER_ROLES)}{pk:02d}"
    kind = dice.below(100)
    if kind < 4:
        return f"{dice.choice(ODD_HOSTS)}-{pk}"
    if kind < 24:
        return f"DESKTOP-{_factory_suffix(dice)}"
    return f"{place}-{'LT' if kind < 60 else 'PC'}{pk:03d}"


def _factory_suffix(dice: Dice) -> str:
    return "".join(dice.choice("0123456789ABCDEFGHIJKLMNOPQRSTUV") for _ in range(7))

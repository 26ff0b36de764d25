"""Clients and sites: Tactical's companies and their places."""

from __future__ import annotations

from dataclasses import dataclass

from tactical_simulator.fleet.dice import Dice
from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.fleet.names import FORMS, SITES, SURNAMES, TRADES

DAY = 86_400


@dataclass(slots=True)
class Client:
    pk: int
    name: str
    created: float
    alert_template: int | None = None


@dataclass(slots=True)
class Site:
    pk: int
    name: str
    client: int
    created: float
    alert_template: int | None = None


def generate_clients(spec: FleetSpec, epoch: float) -> dict[int, Client]:
    start = Dice(spec.seed, "clients").below(len(SURNAMES) * len(TRADES))
    used: set[str] = set()
    clients = {}
    for pk in range(1, spec.clients + 1):
        name = _client_name(spec.seed, start, pk)
        if name in used:  # Client.name is unique on the server
            name = f"{name} {pk}"
        used.add(name)
        created = epoch - (400 + pk) * DAY
        clients[pk] = Client(pk, name, created)
    return clients


def _client_name(seed: int, start: int, pk: int) -> str:
    surname = SURNAMES[(start + pk * 5) % len(SURNAMES)]
    trade = TRADES[(start // len(SURNAMES) + pk * 7) % len(TRADES)]
    if pk == 1:  # the characters that break pages and URLs, in every fleet
        return f"{surname} & Söhne <{trade}> GmbH"
    return f"{surname} {trade} {Dice(seed, 'form', pk).choice(FORMS)}"


def generate_sites(spec: FleetSpec, epoch: float) -> dict[int, Site]:
    """Every client has a site; the others fall where the dice say. Names are unique per client."""
    sites: dict[int, Site] = {}
    counts: dict[int, int] = {}
    for pk in range(1, spec.sites + 1):
        client = pk
        if pk > spec.clients:
            client = Dice(spec.seed, "site", pk).below(spec.clients) + 1
        number = counts.get(client, 0)
        counts[client] = number + 1
        sites[pk] = Site(pk, _site_name(spec.seed, client, number), client, epoch - 399 * DAY)
    return sites


def _site_name(seed: int, client: int, number: int) -> str:
    if number == 0:
        return SITES[0]
    others = len(SITES) - 1
    # A step that shares no factor with the number of names visits each of them once.
    index = 1 + (Dice(seed, "site names", client).below(others) + number * 7) % others
    suffix = f" {number // others + 1}" if number >= others else ""
    return SITES[index] + suffix


def code(name: str, length: int) -> str:
    """The beginning of a host name, as technicians abbreviate a company or place."""
    plain = [letter for letter in name.upper() if "A" <= letter <= "Z"]
    return "".join(plain[:length]) or "X"

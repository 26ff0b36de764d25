"""How two computers compare, and what is noted of it as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from portal.clock import iso_utc
from portal.sync.devices.identity.computers import Computer, KnownComputer, Newcomer

MOST_SHOWN = 10
"""Assets and agents that are named at most: a serial number that hundreds share is not one."""

_COMPARED = ("name", "serial", "os_type", "make_model", "client_id", "organization_id")


def same_text(one: str | None, other: str | None) -> bool:
    """Both are reported, and equal but for blanks and case."""
    return bool(one and other) and plain(one) == plain(other)


def contradicts(one: str | None, other: str | None) -> bool:
    """Both are reported, and differ."""
    return bool(one and other) and plain(one) != plain(other)


def is_other_hardware(one: Computer, other: Computer) -> bool:
    """The platform, or make and model, of one cannot be those of the other."""
    return contradicts(one.os_type, other.os_type) or contradicts(one.make_model, other.make_model)


def share_a_mac(one: Computer, other: Computer) -> bool:
    return not one.mac_addresses.isdisjoint(other.mac_addresses)


def evidence_of(
    newcomer: Newcomer, assets: Sequence[KnownComputer], agents: Iterable[str] = ()
) -> dict[str, Any]:
    """`{"newcomer": {…}, "assets": [{…, "equal": […], "different": […]}], "agents": […]}`.

    `agents` are other newcomers with the same serial number. Moments are ISO texts in UTC.
    """
    return {
        "newcomer": _facts(newcomer)
        | {
            "status": newcomer.status,
            "first_listed_at": iso_utc(newcomer.first_listed_at),
            "asset_id": newcomer.asset_id,
        },
        "assets": [_asset_facts(asset, newcomer) for asset in assets],
        "agents": list(agents),
    }


def _asset_facts(asset: KnownComputer, newcomer: Newcomer) -> dict[str, Any]:
    values = [(name, getattr(asset, name), getattr(newcomer, name)) for name in _COMPARED]
    reported = [(name, str(one), str(other)) for name, one, other in values if one and other]
    equal = [name for name, one, other in reported if same_text(one, other)]
    return _facts(asset) | {
        "asset_id": asset.asset_id,
        "listed": asset.status is not None,
        "status": asset.status,
        "missing_since": _moment(asset.missing_since),
        "retired_at": _moment(asset.retired_at),
        "set_aside": asset.set_aside,
        "equal": equal + ["mac_addresses"] * share_a_mac(asset, newcomer),
        "different": [name for name, one, other in reported if contradicts(one, other)],
    }


def _facts(computer: Computer) -> dict[str, Any]:
    return {
        "agent_id": computer.agent_id,
        **{name: getattr(computer, name) for name in _COMPARED},
        "last_seen": _moment(computer.last_seen),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else iso_utc(at)


def plain(text: str | None) -> str:
    """Without what makes no difference: blanks and case."""
    return " ".join((text or "").split()).casefold()


def is_of_one_place(newcomer: Newcomer, asset: KnownComputer) -> bool:
    """Of one client; or, where a person chose the asset's client, of one organization.

    Organizations of an integration that is set aside are numbered by another server.
    """
    if newcomer.client_id == asset.client_id:
        return True
    is_chosen = asset.client_locked and not asset.set_aside
    return is_chosen and newcomer.organization_id == asset.organization_id


def was_seen_since(asset: KnownComputer, newcomer: Newcomer) -> bool:
    """The old agent checked in while the new one was there already: they are two computers."""
    return asset.last_seen is not None and asset.last_seen >= newcomer.first_listed_at


def is_newer(newcomer: Newcomer, asset: KnownComputer) -> bool:
    """Its agent checked in later than that of the asset, and its own asset came later."""
    if newcomer.asset_id is not None and newcomer.asset_id < asset.asset_id:
        return False
    if asset.last_seen is None:
        return True
    return newcomer.last_seen is not None and newcomer.last_seen > asset.last_seen

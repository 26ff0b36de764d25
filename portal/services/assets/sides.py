"""Two assets beside each other: what is equal, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.models import Asset

LABELS = {
    "name": "Name",
    "serial_number": "Serial number",
    "make_model": "Make and model",
    "os_version": "System",
    "client": "Client",
    "site_name": "Site",
    "asset_type": "Type",
    "current_user": "User",
    "lan_ip": "LAN address",
    "rmm_device_id": "Agent id",
    "agent_version": "Agent version",
    "description": "Description",
}
"""What is compared, in this order."""
MOMENTS = {
    "created_at": "In the portal since",
    "last_seen_at": "Last seen",
    "missing_since": "Not in Tactical since",
    "retired_at": "Retired since",
}
_NAMES_IN_EVIDENCE = {
    "name": "name",
    "serial_number": "serial",
    "make_model": "make_model",
    "os_version": "os_type",
    "rmm_device_id": "agent_id",
}


@dataclass(frozen=True, slots=True)
class Side:
    """`values` by the names of LABELS, `moments` by those of MOMENTS; None is not known."""

    asset_id: int | None
    name: str
    values: Mapping[str, str | None]
    moments: Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line: `is_equal` is None where one of the two is not known."""

    label: str
    values: tuple[Any, ...]
    is_equal: bool | None


def side_of(asset: Asset) -> Side:
    values = {name: getattr(asset, name) for name in LABELS if name != "client"}
    values["client"] = asset.client.name
    values["os_version"] = _name_system(asset.os_type, asset.os_version)
    moments = {name: getattr(asset, name) for name in MOMENTS}
    return Side(asset.id, asset.name, values, moments)


def _name_system(kind: str | None, version: str | None) -> str | None:
    """With its kind, unless the version names it."""
    if kind and version and kind.lower() not in version.lower():
        return f"{kind} {version}"
    return version or kind


def side_of_evidence(facts: Mapping[str, Any]) -> Side:
    """Of an agent without an asset: as it was when the question was asked."""
    values = {name: facts.get(key) for name, key in _NAMES_IN_EVIDENCE.items()}
    seen = facts.get("last_seen")
    moments = {"last_seen_at": datetime.fromisoformat(seen) if seen else None}
    return Side(None, str(facts.get("name") or facts.get("agent_id") or ""), values, moments)


def compare(one: Side, other: Side) -> list[Comparison]:
    """The lines that at least one of the two has."""
    lines = [
        _compare(label, one.values.get(name), other.values.get(name))
        for name, label in LABELS.items()
    ]
    lines += [
        Comparison(label, (one.moments.get(name), other.moments.get(name)), None)
        for name, label in MOMENTS.items()
    ]
    return [line for line in lines if any(line.values)]


def _compare(label: str, one: str | None, other: str | None) -> Comparison:
    if not one or not other:
        return Comparison(label, (one, other), None)
    return Comparison(label, (one, other), " ".join(one.split()) == " ".join(other.split()))

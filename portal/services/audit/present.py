"""A row of the audit trail as people see it, and as subscribers, scripts and files get it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.clock import iso_utc
from portal.models.audit.entry import AuditRow
from portal.services.audit.chain import COVERED
from portal.services.audit.words import label_fact

CSV_COLUMNS = (
    *("number", "at", "action", "actor_kind", "actor_id", "actor_name", "address", "source"),
    *("request_id", "target_kind", "target_id", "target_name", "before", "after", "mac"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One value as it was and as it became, in words; None where there was or is none."""

    name: str
    label: str
    before: str | None
    after: str | None


def list_changes(entry: AuditRow) -> list[Change]:
    """Without what was nothing and stayed nothing."""
    was, became = entry.before or {}, entry.after or {}
    names = dict.fromkeys((*was, *became))
    return [
        Change(name, label_fact(name), _to_words(was.get(name)), _to_words(became.get(name)))
        for name in names
        if was.get(name) is not None or became.get(name) is not None
    ]


def to_csv_row(entry: AuditRow) -> dict[str, Any]:
    """Values as JSON, in one cell each."""
    row = {name: getattr(entry, name) for name in CSV_COLUMNS}
    row |= {"at": iso_utc(entry.at), "actor_kind": str(entry.actor_kind)}
    for name in ("before", "after"):
        row[name] = None if row[name] is None else json.dumps(row[name], ensure_ascii=False)
    return row


def to_public(row: Mapping[str, Any]) -> dict[str, Any]:
    """With its code: whoever keeps it can say later what the chain contained."""
    return {
        "number": row["number"],
        "at": iso_utc(row["at"]),
        "action": row["action"],
        "actor": {
            "kind": str(row["actor_kind"]),
            "id": row["actor_id"],
            "name": row["actor_name"],
        },
        "address": row["address"],
        "source": row["source"],
        "request_id": row["request_id"],
        "target": {
            "kind": row["target_kind"],
            "id": row["target_id"],
            "name": row["target_name"],
        },
        "before": row["before"],
        "after": row["after"],
        "mac": row["mac"],
    }


def to_public_row(row: AuditRow) -> dict[str, Any]:
    return to_public({name: getattr(row, name) for name in (*COVERED, "mac")})


def _to_words(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(_to_words(each)) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_to_words(each)}" for name, each in value.items())
    return str(value)

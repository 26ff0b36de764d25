"""A client's month in words and as plain values, for pages, files, commands and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal.clock import day_of
from portal.services.past.days import say_day
from portal.services.past.walking import PastAsset
from portal.services.plain import plain
from portal.services.reports.client_month import AlertLine, ClientMonth, Line
from portal.services.reports.software_changes import SoftwareLine
from portal.services.reports.stays import Cause
from portal.wording import join_words, plural

TYPES = ("workstation", "server")
_CAME = {Cause.NEW: "New", Cause.BACK: "Back in Tactical", Cause.MOVED: "Moved here"}
_WENT = {
    Cause.MISSING: "No longer in Tactical",
    Cause.RETIRED: "Retired",
    Cause.MERGED: "Merged",
    Cause.DELETED: "Removed",
    Cause.MOVED: "Moved away",
}


def say_count(counts: Mapping[str, int]) -> str:
    """`23 workstations and 4 servers`; types of which there are none are left out."""
    words = [plural(counts.get(word, 0), word) for word in TYPES if counts.get(word, 0)]
    return join_words(words) or "no computers"


def say_bill(report: ClientMonth) -> str:
    """`23 workstations and 4 servers on 31 October 2026; 2 added, 1 gone (1 retired).`"""
    retired = f" ({report.retired:,} retired)" if report.retired else ""
    flow = f"{len(report.added):,} added, {len(report.gone):,} gone{retired}"
    return f"{say_count(report.fleet_by_type)} on {say_end(report)}; {flow}."


def say_end(report: ClientMonth) -> str:
    """The last day of the month, or today."""
    return say_day(_last_day(report))


def _last_day(report: ClientMonth) -> date:
    return report.month.last_day if report.is_over else day_of(report.until)


def say_came(line: Line) -> str:
    other = f" from {line.other}" if line.cause is Cause.MOVED and line.other else ""
    return _CAME.get(line.cause, str(line.cause)) + other


def say_went(line: Line) -> str:
    word = {Cause.MOVED: " to", Cause.MERGED: " into"}.get(line.cause, "")
    return _WENT.get(line.cause, str(line.cause)) + (f"{word} {line.other}" if line.other else "")


def say_update(line: SoftwareLine) -> str:
    """`from 23.01 to 24.07`, or `from 19.00–23.01 to 24.07`; empty where nothing was updated."""
    if not line.updated:
        return ""
    return f"from {_say_versions(line.updated_from)} to {_say_versions(line.updated_to)}"


def _say_versions(versions: Sequence[str]) -> str:
    """The oldest and the newest of those that are known."""
    known = [each for each in versions if each] or ["an unknown version"]
    return "–".join(dict.fromkeys((known[0], known[-1])))


def list_limits(report: ClientMonth) -> list[str]:
    """What the report does not know, as sentences."""
    limits = []
    if not report.has_history:
        limits.append("There is no history of assets yet. It begins with the next sync of devices.")
    if report.begin is not None:
        limits.append(
            f"The history of assets reaches back to {say_day(day_of(report.begin))}. What happened "
            "before that day of the month is not in this report."
        )
    if not report.is_over:
        limits.append(f"{report.month.name} is not over: these are the numbers so far.")
    return limits


def to_record(report: ClientMonth) -> dict[str, Any]:
    """For programs."""
    return {
        "client_id": str(report.client.id),
        "client": report.client.name,
        "month": str(report.month),
        "last_day": plain(_last_day(report)),
        "complete_since": plain(day_of(report.begin or report.month.start)),
        "is_over": report.is_over,
        "bill": say_bill(report),
        "limits": list_limits(report),
        "fleet": _numbers(report.fleet_by_type),
        "fleet_before": _numbers(report.before_by_type),
        "added_count": len(report.added),
        "gone_count": len(report.gone),
        "retired_count": report.retired,
        "passed_count": len(report.passed),
        "assets": [_to_asset(asset) for asset in report.fleet],
        "added": [_to_asset(e.asset) | _to_event(e, say_came(e)) for e in report.added],
        "gone": [_to_asset(e.asset) | _to_event(e, say_went(e)) for e in report.gone],
        "passed": [_to_asset(e.asset) | _to_event(e, say_went(e)) for e in report.passed],
        "alerts_raised": report.alerts_by_severity,
        "alerts_resolved": report.resolved,
        "alerts": [_to_alert(line) for line in report.alerts],
        "software": [_to_software(line) for line in report.software],
    }


def _numbers(counts: Counter[str]) -> dict[str, int]:
    return {word: counts[word] for word in TYPES} | {"total": counts.total()}


def _to_asset(asset: PastAsset) -> dict[str, Any]:
    return {
        "asset_id": str(asset.id),
        "name": asset.name,
        "asset_type": asset.asset_type,
        "site_name": asset.site_name,
        "serial_number": asset.serial_number,
        "rmm_device_id": asset.rmm_device_id,
        "created_at": plain(asset.created_at),
    }


def _to_event(line: Line, words: str) -> dict[str, Any]:
    return {"at": plain(line.at), "cause": str(line.cause), "in_words": words}


def _to_alert(line: AlertLine) -> dict[str, Any]:
    return {
        "alert_id": str(line.alert_id),
        "asset": line.asset,
        "severity": line.severity,
        "alert_type": line.alert_type,
        "message": line.message,
        "triggered_at": plain(line.triggered_at),
        "resolved_at": plain(line.resolved_at),
    }


def _to_software(line: SoftwareLine) -> dict[str, Any]:
    return {
        "product_id": str(line.product_id),
        "name": line.name,
        "publisher": line.publisher or None,
        "came": line.came,
        "updated": line.updated,
        "went": line.went,
        "updated_from": [each for each in line.updated_from if each],
        "updated_to": [each for each in line.updated_to if each],
    }

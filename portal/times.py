"""Moments as other programs read them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_utc(moment: datetime) -> str:
    """`2026-11-23T05:41:09.120000Z`, whatever zone the moment is told in."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

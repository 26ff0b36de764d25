"""What one open ticket stands for. Pure."""

from __future__ import annotations

from portal.services.rules.terms import Of, Subject


def name_outage(subject: Subject, per: Of) -> str:
    """The same for all alerts that hang on one ticket; where what it is to be one for is not known,
    the next smaller thing."""
    if per == "client" and subject.client_id is not None:
        return f"client {subject.client_id}"
    if per == "client" and subject.organization_id is not None:
        return f"organization {subject.organization_id}"
    asset = f"asset {subject.asset_id}" if subject.asset_id is not None else ""
    if per in ("client", "asset") and asset:
        return asset
    return f"{asset} {_name_check(subject)}".strip()


def _name_check(subject: Subject) -> str:
    if subject.check_id is not None:
        return subject.check_id
    is_known = subject.kind == "availability" and subject.asset_id is not None
    return "availability" if is_known else f"alert {subject.alert_id}"

"""What people read instead of a column's name, in the midst of a sentence."""

from __future__ import annotations

_LABELS = {
    "": "asset",
    "agent_id": "agent id",
    "agent_version": "agent version",
    "api_key": "API key",
    "asset_type": "type",
    "auto_sync_assets": "auto-sync",
    "base_url": "address",
    "boot_time": "start of the computer",
    "client_id": "client",
    "cpu": "CPU",
    "current_user": "user",
    "external_id": "Tactical number",
    "gone_since": "not in Tactical since",
    "held_since": "not in Tactical since",
    "ignored": "ignored",
    "lan_ip": "LAN address",
    "mac_addresses": "MAC address",
    "make_model": "make and model",
    "missing_since": "not in Tactical since",
    "offline_minutes": "minutes until offline",
    "organization_id": "organization",
    "os_type": "operating system",
    "os_version": "system version",
    "overdue_minutes": "minutes until overdue",
    "physical_disks": "disks",
    "ram_gb": "memory",
    "retired_at": "retired since",
    "rmm_device_id": "agent id",
    "rmm_integration_id": "connection",
    "rmm_organization_id": "organization",
    "serial": "serial number",
    "site_id": "site number",
    "site_name": "site",
    "wan_ip": "WAN address",
}


def label_column(column: str) -> str:
    """`LAN address` for `lan_ip`; a name that speaks for itself with blanks; `asset` for
    no name."""
    return _LABELS.get(column, column.replace("_", " "))

"""The weight of a Windows row: 98 KB of services and 45 KB of WMI that nobody reads.

The same few blocks of JSON are spliced into every row, so a page of 1,000 rows (111 MB) costs
the memory of one row. Sizes as measured on a live server.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from tactical_simulator.fleet.dice import Dice, letters

SERVICES_BYTES = 98_000
WMI_BYTES = 39_900
"""With the sections of `wmi` that differ between machines this makes the 45 KB."""
VARIANTS = 3

_SERVICES = (
    ("Spooler", "Print Spooler", "Loads files to memory for later printing"),
    ("wuauserv", "Windows Update", "Enables the detection, download and installation of updates"),
    ("WinDefend", "Microsoft Defender Antivirus Service", "Helps protect users from malware"),
    ("Dnscache", "DNS Client", "Caches Domain Name System (DNS) names"),
    ("EventLog", "Windows Event Log", "Manages events and event logs"),
    ("LanmanServer", "Server", "Supports file, print, and named-pipe sharing over the network"),
    ("MSSQLSERVER", "SQL Server (MSSQLSERVER)", "Provides storage and processing of data"),
    ("tacticalrmm", "TacticalRMM Agent Service", "Tactical RMM Monitoring Agent"),
    ("TermService", "Remote Desktop Services", "Allows users to connect interactively"),
    ("Schedule", "Task Scheduler", "Enables a user to configure and schedule automated tasks"),
    ("BITS", "Background Intelligent Transfer Service", "Transfers files in the background"),
    ("W32Time", "Windows Time", "Maintains date and time synchronization"),
)


@cache
def services_json(variant: int) -> bytes:
    """The `services` column of a Windows agent."""
    entries: list[dict[str, Any]] = []
    size = 2
    while size < SERVICES_BYTES:
        entry = _service(variant, len(entries))
        size += len(msgspec.json.encode(entry)) + 1
        entries.append(entry)
    return msgspec.json.encode(entries)


def _service(variant: int, number: int) -> dict[str, Any]:
    dice = Dice("service", variant, number)
    name, display, description = dice.choice(_SERVICES)
    unique = letters(5, "service", variant, number).lower()
    return {
        "pid": dice.below(20_000),
        "name": f"{name}_{unique}" if number >= len(_SERVICES) else name,
        "status": dice.choice(("running", "stopped")),
        "binpath": f"C:\\Windows\\System32\\svchost.exe -k netsvcs -p -s {name}_{unique}",
        "username": dice.choice(("LocalSystem", "NT AUTHORITY\\LocalService")),
        "start_type": dice.choice(("Automatic", "Manual", "Disabled")),
        "autodelay": dice.chance(20),
        "description": f"{description}. If this service is stopped, what depends on it fails.",
        "display_name": f"{display} ({unique})",
    }


@cache
def wmi_sections_json(variant: int) -> bytes:
    """Members of `wmi_detail` beside the telling ones, without the braces around them."""
    sections = {
        "mem": [[{"Capacity": 8_589_934_592, "Speed": 3200, "Tag": "Physical Memory 0"}]],
        "os": [[{"Caption": "Microsoft Windows"}, {"SerialNumber": "00330-80000-00000-AA123"}]],
        "usb": [_usb_device(variant, number) for number in range(20)],
        "desktop_monitor": [[{"Caption": "Generic PnP Monitor"}, {"ScreenWidth": None}]],
        "network_adapter": _adapters(variant),
    }
    return msgspec.json.encode(sections)[1:-1]


def _usb_device(variant: int, number: int) -> list[dict[str, Any]]:
    return [
        {"DeviceID": f"USB\\ROOT_HUB30\\4&{letters(8, 'usb', variant, number)}&0&0"},
        {"Caption": "USB Root Hub (USB 3.0)", "Status": "OK", "CreationClassName": "Win32_USBHub"},
    ]


def _adapters(variant: int) -> list[list[dict[str, Any]]]:
    adapters: list[list[dict[str, Any]]] = []
    size = 0
    while size < WMI_BYTES - 5_000:
        adapter = _adapter(variant, len(adapters))
        size += len(msgspec.json.encode(adapter)) + 1
        adapters.append(adapter)
    return adapters


def _adapter(variant: int, number: int) -> list[dict[str, Any]]:
    return [
        {"Name": f"WAN Miniport ({letters(6, 'adapter', variant, number)})"},
        # Seen on a live server: above the range of a signed 64-bit integer.
        {"Speed": 9_223_372_036_854_776_000 if number == 0 else None},
        {"PNPDeviceID": f"SWD\\MSRRAS\\MS_{letters(24, 'pnp', variant, number).upper()}"},
        {"Availability": 3, "Installed": True, "PowerManagementSupported": False},
        {"AdapterType": "Ethernet 802.3", "ErrorDescription": None, "NetEnabled": number < 2},
        {"MACAddress": ":".join(f"{(variant * 97 + number * 31 + i) % 256:02X}" for i in range(6))},
        {"SystemCreationClassName": "Win32_ComputerSystem", "TimeOfLastReset": "20261101"},
    ]

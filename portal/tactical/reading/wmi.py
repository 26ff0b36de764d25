"""What Tactical derives from an agent's raw `wmi_detail`, derived the same way.

The beta list carries only the raw sections. Each Windows section is a list of devices, each
device a list of objects; the first object that has the key gives the value. Every piece may
be missing, null or of another type. Then Tactical gives the fact up as a whole and shows a
sentinel; here it is empty. Compared with the derived fields of a live 1.5.1 server.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from portal.tactical.reading.text import clean_fact, clean_facts, join_facts

PLACEHOLDER = "to be filled"
"""What a board without a name says: "To Be Filled By O.E.M."."""
REMOTE_DISPLAY = "Microsoft Remote Display Adapter"
GIB = 1024**3

UNREADABLE = (LookupError, TypeError, AttributeError, ValueError, OverflowError)
"""What looking into a value of another form raises."""


def serial_number(plat: str, wmi: Any) -> str:
    """Empty when it is not known, as with all that follow."""
    try:
        found = wmi["bios"][0][0]["SerialNumber"] if plat == "windows" else wmi["serialnumber"]
    except UNREADABLE:
        return ""
    return clean_fact(found)


def make_model(plat: str, wmi: Any) -> str:
    """`Dell Inc. OptiPlex 7050`; of a board without a name, the board's own."""
    if plat != "windows":
        return clean_fact(_find(wmi, "make_model"))
    try:
        return clean_fact(_windows_make_model(wmi))
    except UNREADABLE:
        pass
    try:
        return clean_fact(_first(wmi["comp_sys_prod"][0], "Version"))
    except UNREADABLE:
        return ""


def _windows_make_model(wmi: Any) -> str:
    system = wmi["comp_sys"][0]
    make, model = _first(wmi["comp_sys_prod"][0], "Vendor"), _first(system, "Model")
    if PLACEHOLDER in model.lower():
        board = wmi["base_board"][0]
        make, model = _first(board, "Manufacturer"), _first(board, "Product")
    if make.lower() == "lenovo":  # the model is a number there, the family a name
        family = _first(system, "SystemFamily")
        if PLACEHOLDER not in family.lower():
            model = family
    return f"{make} {model}"


def cpu_models(plat: str, wmi: Any) -> tuple[str, ...]:
    """`Name, 8C/16T`; the counts only where one object holds both."""
    if plat != "windows":
        return clean_facts(_find(wmi, "cpus"))
    try:
        return clean_facts([_cpu(device) for device in wmi["cpu"]])
    except UNREADABLE:
        return ()


def _cpu(device: Any) -> Any:
    name = _first(device, "Name")
    counts: Any = next((part for part in device if "NumberOfCores" in part), {})
    if "NumberOfLogicalProcessors" not in counts:
        return name
    return f"{name}, {counts['NumberOfCores']}C/{counts['NumberOfLogicalProcessors']}T"


def local_ips(plat: str, wmi: Any) -> str:
    """`a, b, c`: the IPv4 addresses of Windows; Linux and macOS with prefix, and IPv6 too."""
    try:
        if plat != "windows":
            listed = wmi["local_ips"]
            return clean_fact(", ".join(listed)) if isinstance(listed, list) else ""
        found = [address for device in wmi["network_config"] for address in _addresses(device)]
    except UNREADABLE:
        return ""
    return clean_fact(", ".join(found))


def _addresses(device: Any) -> list[str]:
    try:
        return [address for address in _first(device, "IPAddress") if _is_ipv4(address)]
    except UNREADABLE:
        return []  # an adapter without an address


def graphics(plat: str, wmi: Any) -> str:
    """The cards' names; the adapter of remote desktops only where it is the only one."""
    if plat != "windows":
        return join_facts(_find(wmi, "gpus"))
    try:
        cards = [_first(device, "Caption") for device in wmi["graphics"]]
        real = [card for card in cards if REMOTE_DISPLAY.lower() not in card.lower()]
        return clean_fact(", ".join(real) if real or not cards else REMOTE_DISPLAY)
    except UNREADABLE:
        return ""


def physical_disks(plat: str, wmi: Any) -> tuple[str, ...]:
    """`Caption 466GB SCSI`, USB left out."""
    if plat != "windows":
        return clean_facts(_find(wmi, "disks"))
    try:
        fixed = [disk for disk in wmi["disk"] if _first(disk, "InterfaceType") != "USB"]
        return clean_facts([_disk(disk) for disk in fixed])
    except UNREADABLE:
        return ()


def _disk(disk: Any) -> str:
    size = round(int(_first(disk, "Size")) / GIB)
    return f"{_first(disk, 'Caption')} {size:,}GB {_first(disk, 'InterfaceType')}"


def _is_ipv4(value: Any) -> bool:
    try:
        ipaddress.IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _first(device: Any, key: str) -> Any:
    """The value in the first object of the device that holds the key. Raises of UNREADABLE."""
    for part in device:
        if key in part:
            return part[key]
    raise KeyError(key)


def _find(wmi: Any, key: str) -> Any:
    return wmi.get(key) if isinstance(wmi, dict) else None

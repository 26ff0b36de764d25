"""What Tactical derives from an agent's raw `wmi_detail`, derived the same way.

The beta list carries only the raw sections. Each Windows section is a list of devices, each
device a list of objects; the first object that has the key gives the value. Every piece may
be missing, null or of another type: then it is empty. The results were compared with the
derived fields of a live 1.5.1 server.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from portal.tactical.text import clean_fact, clean_facts, clean_text

PLACEHOLDER = "to be filled"
"""What a board without a name says: "To Be Filled By O.E.M."."""


def serial_number(plat: str, wmi: Any) -> str:
    if plat == "windows":
        objects = _device(wmi, "bios", 0)
        return clean_fact(objects[0].get("SerialNumber")) if objects else ""
    return clean_fact(_get(wmi, "serialnumber"))


def make_model(plat: str, wmi: Any) -> str:
    if plat != "windows":
        return clean_fact(_get(wmi, "make_model"))
    try:
        return clean_fact(_windows_make_model(wmi))
    except LookupError:
        return clean_fact(_first(_device(wmi, "comp_sys_prod", 0), "Version", None))


def _windows_make_model(wmi: Any) -> str:
    """Raises LookupError when a piece that it needs is not there."""
    system, product = _device(wmi, "comp_sys", 0), _device(wmi, "comp_sys_prod", 0)
    model, make = _text(system, "Model"), _text(product, "Vendor")
    if PLACEHOLDER in model.lower():
        board = _device(wmi, "base_board", 0)
        model, make = _text(board, "Product"), _text(board, "Manufacturer")
    if make.lower() == "lenovo":
        family = _text(system, "SystemFamily")
        if PLACEHOLDER not in family.lower():
            model = family
    return f"{make} {model}"


def cpu_models(plat: str, wmi: Any) -> tuple[str, ...]:
    """`Name, 8C/16T`; the counts only where one object holds both."""
    if plat != "windows":
        return clean_facts(_get(wmi, "cpus"))
    return tuple(text for device in _devices(wmi, "cpu") if (text := _cpu(device)))


def _cpu(device: list[dict[str, Any]]) -> str:
    name = clean_fact(_first(device, "Name", None))
    counts = next((each for each in device if "NumberOfCores" in each), {})
    if not name or "NumberOfLogicalProcessors" not in counts:
        return name
    return f"{name}, {counts['NumberOfCores']}C/{counts['NumberOfLogicalProcessors']}T"


def local_ips(plat: str, wmi: Any) -> str:
    """`a, b, c`: the IPv4 addresses of Windows; Linux and macOS with prefix, and IPv6 too."""
    if plat != "windows":
        return ", ".join(clean_facts(_get(wmi, "local_ips")))
    found: list[str] = []
    for device in _devices(wmi, "network_config"):
        addresses = _first(device, "IPAddress", None)
        if isinstance(addresses, list):
            found += [address for address in addresses if _is_ipv4(address)]
    return ", ".join(found)


def graphics(plat: str, wmi: Any) -> str:
    if plat != "windows":
        return ", ".join(clean_facts(_get(wmi, "gpus")))
    cards = [clean_text(_first(d, "Caption", None)) for d in _devices(wmi, "graphics")]
    cards = [card for card in cards if card]
    real = [card for card in cards if card != "Microsoft Remote Display Adapter"]
    return clean_fact(", ".join(real or cards))


def physical_disks(plat: str, wmi: Any) -> tuple[str, ...]:
    """`Caption 466GB SCSI`, USB left out."""
    if plat != "windows":
        return clean_facts(_get(wmi, "disks"))
    return tuple(text for device in _devices(wmi, "disk") if (text := _disk(device)))


def _disk(device: list[dict[str, Any]]) -> str:
    interface = clean_text(_first(device, "InterfaceType", None))
    caption = clean_text(_first(device, "Caption", None))
    try:
        size = int(_first(device, "Size", None))
    except (TypeError, ValueError, OverflowError):
        return ""
    if not interface or not caption or interface == "USB":
        return ""
    return f"{caption} {round(size / 1_073_741_824):,}GB {interface}"


def _is_ipv4(value: Any) -> bool:
    try:
        ipaddress.IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


# --- The shape: sections of devices of objects ---------------------------------------------


def _get(wmi: Any, key: str) -> Any:
    return wmi.get(key) if isinstance(wmi, dict) else None


def _devices(wmi: Any, section: str) -> Iterator[list[dict[str, Any]]]:
    devices = _get(wmi, section)
    for device in devices if isinstance(devices, list) else ():
        if isinstance(device, list):
            yield [each for each in device if isinstance(each, dict)]


def _device(wmi: Any, section: str, index: int) -> list[dict[str, Any]]:
    devices = _get(wmi, section)
    if not isinstance(devices, list) or len(devices) <= index:
        return []
    device = devices[index]
    return [o for o in device if isinstance(o, dict)] if isinstance(device, list) else []


def _first(device: list[dict[str, Any]], key: str, default: Any) -> Any:
    return next((each[key] for each in device if key in each), default)


def _text(device: list[dict[str, Any]], key: str) -> str:
    value = _first(device, key, None)
    if not isinstance(value, str):
        raise LookupError(key)
    return value

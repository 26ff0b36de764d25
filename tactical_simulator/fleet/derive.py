"""The facts that Tactical derives from `wmi_detail` (`/agents/` and both details show them).

Written from the rules read in the source of 1.5.1 and compared with the rows of a live server.
Where anything on the way is missing or of another type, Tactical answers with a sentinel.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from tactical_simulator.answers import Crash

Json = Any

UNREADABLE = (KeyError, IndexError, TypeError, AttributeError, ValueError)
UNKNOWN_CPU = "unknown cpu model"
UNKNOWN_DISK = "unknown disk"
UNKNOWN_MODEL = "unknown make/model"
POSIX_MODEL_ERROR = "error getting make/model"
IPS_ERROR = "error getting local ips"
NO_GRAPHICS = "No graphics cards"
GRAPHICS_ERROR = "Error getting graphics cards"
OLD_GRAPHICS = "Graphics info requires agent v1.4.14"
SENTINELS = frozenset({
    UNKNOWN_CPU, UNKNOWN_DISK, UNKNOWN_MODEL, POSIX_MODEL_ERROR, IPS_ERROR, NO_GRAPHICS,
    GRAPHICS_ERROR, OLD_GRAPHICS,
})  # fmt: skip

_REMOTE_DISPLAY = "microsoft remote display adapter"
_PLACEHOLDER = "to be filled"


def serial_number(is_posix: bool, wmi: Json) -> Json:
    try:
        return wmi["serialnumber"] if is_posix else wmi["bios"][0][0]["SerialNumber"]
    except UNREADABLE:
        return ""


def make_model(is_posix: bool, wmi: Json) -> Json:
    if is_posix:
        try:
            return wmi["make_model"]
        except UNREADABLE:
            return POSIX_MODEL_ERROR
    try:
        return _windows_make_model(wmi)
    except UNREADABLE:
        pass
    try:
        return _first(wmi["comp_sys_prod"][0], "Version")
    except UNREADABLE:
        return UNKNOWN_MODEL


def _windows_make_model(wmi: Json) -> str:
    system = wmi["comp_sys"][0]
    make = _first(wmi["comp_sys_prod"][0], "Vendor")
    model = _first(system, "Model")
    if _PLACEHOLDER in model.lower():
        board = wmi["base_board"][0]
        make, model = _first(board, "Manufacturer"), _first(board, "Product")
    if make.lower() == "lenovo":
        family = _first(system, "SystemFamily")
        model = model if _PLACEHOLDER in family.lower() else family
    return f"{make} {model}"


def cpu_model(is_posix: bool, wmi: Json) -> Json:
    try:
        return wmi["cpus"] if is_posix else [_cpu(cpu) for cpu in wmi["cpu"]]
    except UNREADABLE:
        return [UNKNOWN_CPU]


def _cpu(cpu: Json) -> Json:
    name = _first(cpu, "Name")
    holder: Json = next((part for part in cpu if "NumberOfCores" in part), {})
    if "NumberOfLogicalProcessors" not in holder:
        return name
    return f"{name}, {holder['NumberOfCores']}C/{holder['NumberOfLogicalProcessors']}T"


def local_ips(is_posix: bool, wmi: Json) -> str:
    try:
        if is_posix:
            return ", ".join(wmi["local_ips"])
        found = [address for device in wmi["network_config"] for address in _addresses(device)]
    except UNREADABLE:
        return IPS_ERROR
    return ", ".join(found) or IPS_ERROR


def _addresses(device: Json) -> list[str]:
    try:
        return [address for address in _first(device, "IPAddress") if _is_ipv4(address)]
    except UNREADABLE:
        return []


def _is_ipv4(text: Json) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return isinstance(text, str)


def graphics(is_posix: bool, wmi: Json) -> Json:
    if is_posix:
        try:
            return wmi["gpus"] or NO_GRAPHICS
        except UNREADABLE:
            return GRAPHICS_ERROR
    try:
        captions = [_first(card, "Caption") for card in wmi["graphics"]]
        cards = [caption for caption in captions if _REMOTE_DISPLAY not in caption.lower()]
    except UNREADABLE:
        return OLD_GRAPHICS
    if captions and not cards:
        return "Microsoft Remote Display Adapter"
    return ", ".join(cards)


def physical_disks(is_posix: bool, wmi: Json) -> Json:
    try:
        if is_posix:
            return wmi["disks"]
        return [_disk(disk) for disk in wmi["disk"] if _first(disk, "InterfaceType") != "USB"]
    except UNREADABLE:
        return [UNKNOWN_DISK]


def _disk(disk: Json) -> str:
    gib = round(int(_first(disk, "Size")) / 1_073_741_824)
    return f"{_first(disk, 'Caption')} {gib:,}GB {_first(disk, 'InterfaceType')}"


def derived_facts(is_posix: bool, wmi: Json) -> dict[str, Json]:
    """In the order in which `/agents/` sends them (`serial_number` comes last there)."""
    return {
        "cpu_model": cpu_model(is_posix, wmi),
        "graphics": graphics(is_posix, wmi),
        "local_ips": local_ips(is_posix, wmi),
        "make_model": make_model(is_posix, wmi),
        "physical_disks": physical_disks(is_posix, wmi),
        "serial_number": serial_number(is_posix, wmi),
    }


def served_facts(is_posix: bool, wmi: Json) -> dict[str, Json]:
    """The same where the API serves them: adapters that are null crash whatever lists the agent."""
    if not is_posix and isinstance(wmi, dict):
        try:
            iter(wmi.get("network_config", ()))
        except TypeError as error:
            raise Crash(f"network_config: {error}") from None
    return derived_facts(is_posix, wmi)


def _first(device: Json, key: str) -> Json:
    """The value in the first object of the device that holds the key."""
    for part in device:
        if key in part:
            return part[key]
    raise KeyError(key)

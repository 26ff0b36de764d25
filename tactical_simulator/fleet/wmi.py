"""The parts of `wmi_detail` that differ between machines and that facts are derived from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.dice import Dice
from tactical_simulator.fleet.hardware import (
    BOARDS,
    CPUS,
    DISKS,
    GRAPHICS,
    LINUX_MODELS,
    MAC_MODELS,
    OEM,
    REMOTE_GRAPHICS,
    SERVER_CPUS,
    SERVERS,
    USB_DISK,
    WORKSTATIONS,
    Machine,
)

Json = Any
Detail = dict[str, Json]


def generate_wmi(seed: int, agent: Agent) -> Detail | None:
    """What the agent reported of its hardware; None from an agent that never did."""
    dice = Dice(seed, "wmi", agent.pk)
    odd = dice.below(200)
    if odd == 0:
        return None
    if agent.is_posix:
        return _posix(agent, odd, dice)
    detail = _windows(agent, dice)
    if odd < len(_ODDITIES):
        _ODDITIES[odd](detail)
    return detail


def _posix(agent: Agent, odd: int, dice: Dice) -> Detail:
    mac = agent.plat == "darwin"
    name, cores, threads = dice.choice(SERVER_CPUS)
    third = 1 + agent.site % 250
    detail: Detail = {
        "cpus": ["Apple M1 Pro"] if mac else [f"{name}, {cores}C/{threads}T"],
        "gpus": [] if dice.chance(40) else ["Apple M1 Pro" if mac else "Matrox G200eR2"],
        "disks": ["APPLE SSD AP0512R 466GB NVMe" if mac else "sda QEMU HARDDISK 100GB SSD"],
        "local_ips": [
            f"10.20.{third}.{1 + dice.below(254)}/24",
            f"fd70::{dice.below(65536):x}:70dc:fe65:{dice.below(65536):x}/64",
        ][: 1 + dice.below(2)],
        "make_model": f"Apple {dice.choice(MAC_MODELS)}" if mac else dice.choice(LINUX_MODELS),
        "serialnumber": f"C02{agent.pk:05d}{dice.below(99):02d}" if mac or dice.chance(50) else "",
    }
    missing = {1: "local_ips", 2: "make_model", 3: "cpus", 4: "serialnumber", 5: "disks"}
    if odd in missing:
        del detail[missing[odd]]
    elif odd < 16:
        detail[dice.choice(("make_model", "serialnumber", "local_ips"))] = None
    return detail


def _windows(agent: Agent, dice: Dice) -> Detail:
    is_server = agent.monitoring_type == "server"
    machine = dice.choice(SERVERS if is_server else WORKSTATIONS)
    name, cores, threads = dice.choice(SERVER_CPUS if is_server else CPUS)
    # Only a third of a live server's Windows agents held both numbers in one object.
    numbers: list[Json] = [{"NumberOfCores": cores}, {"NumberOfLogicalProcessors": threads}]
    if dice.chance(33):
        numbers = [{"NumberOfCores": cores, "NumberOfLogicalProcessors": threads}]
    cpu = [{"Caption": "Intel64 Family 6"}, {"Name": name}, *numbers, {"SocketDesignation": "U3"}]
    return {
        "comp_sys": [_comp_sys(agent, machine)],
        "comp_sys_prod": [[{"Vendor": machine.vendor}, {"Version": machine.version}]],
        "bios": [_bios(agent, dice)],
        "base_board": [_board(machine, dice)],
        "cpu": [cpu] * (2 if is_server and dice.chance(40) else 1),
        "network_config": _network(agent, dice),
        "disk": _disks(dice),
        "graphics": _graphics(dice),
    }


def _comp_sys(agent: Agent, machine: Machine) -> list[Json]:
    return [
        {"Name": agent.hostname},
        {"Manufacturer": machine.vendor, "Model": machine.model},
        {"SystemFamily": machine.family},
        {"TotalPhysicalMemory": (agent.total_ram or 0) * 1_073_741_824},
    ]


def _bios(agent: Agent, dice: Dice) -> list[Json]:
    serial = f"{dice.choice(('5CG', 'PF', 'MXL', 'JT'))}{dice.below(10**6):06d}{agent.pk}"
    draw = dice.below(100)
    if draw < 10:
        return [{"SerialNumber": ""}, {"Manufacturer": "American Megatrends Inc."}]
    if draw < 15:  # only the first object is read for it
        return [{"Manufacturer": "AMI"}, {"SerialNumber": serial}]
    return [{"SerialNumber": serial, "SMBIOSBIOSVersion": "1.24.0"}, {"Manufacturer": "Dell Inc."}]


def _board(machine: Machine, dice: Dice) -> list[Json]:
    maker, product = dice.choice(BOARDS) if machine.model == OEM else (machine.vendor, "0XJ5V3")
    return [{"Caption": "Base Board"}, {"Manufacturer": maker}, {"Product": product}]


def _network(agent: Agent, dice: Dice) -> list[Json]:
    third = agent.site % 250
    address = [f"172.17.{third}.{1 + dice.below(254)}", f"fe80::{dice.below(65536):x}:8f3a:1c2e"]
    devices: list[Json] = [
        [{"Caption": "[00000000] Kernel Debug Network Adapter"}, {"IPAddress": None}],
        [{"Caption": "[00000001] Ethernet"}, {"IPAddress": address}, {"DHCPEnabled": True}],
    ]
    if dice.chance(30):
        more = [f"192.168.56.{1 + dice.below(254)}", f"10.8.{third}.{1 + dice.below(254)}"]
        devices.append([{"Caption": "[00000007] TAP"}, {"IPAddress": more, "IPEnabled": True}])
    if dice.chance(40):
        devices.append([{"Caption": "[00000009] WAN Miniport (IP)"}])
    return devices


def _disks(dice: Dice) -> list[Json]:
    drawn = [dice.choice(DISKS) for _ in range(1 + dice.below(2))]
    if dice.chance(15):
        drawn.append(USB_DISK)
    return [
        [{"Caption": caption}, {"Size": size}, {"InterfaceType": interface, "Partitions": 3}]
        for caption, size, interface in drawn
    ]


def _graphics(dice: Dice) -> list[Json]:
    cards = [] if dice.chance(5) else [dice.choice(GRAPHICS)]
    if not cards or dice.chance(20):
        cards.append(REMOTE_GRAPHICS)
    return [[{"Name": card}, {"Caption": card}] for card in cards]


def _lenovo_without_family(detail: Detail) -> None:
    detail["comp_sys"] = [[{"Model": "20HD0000US"}]]
    detail["comp_sys_prod"] = [[{"Vendor": "LENOVO"}, {"Version": "ThinkPad T470"}]]


# What single agents of a live server were met with; half a percent of the fleet each.
_ODDITIES: tuple[Callable[[Detail], object], ...] = (
    lambda detail: detail.clear(),
    lambda detail: detail.clear(),
    lambda detail: detail.pop("comp_sys_prod"),
    lambda detail: detail.update(comp_sys_prod=[[{"Version": "ThinkStation P330"}]]),
    lambda detail: detail.update(bios=None),
    lambda detail: detail.pop("cpu"),
    lambda detail: detail.pop("network_config"),
    lambda detail: detail.update(network_config=[[{"IPAddress": None}], [{"DHCPEnabled": True}]]),
    lambda detail: detail.update(comp_sys=[[{"Model": None}, {"SystemFamily": None}]]),
    lambda detail: detail.update(comp_sys=[[{"Model": 42}]]),
    lambda detail: detail.pop("graphics"),
    lambda detail: detail.update(network_config=[[{"IPAddress": "10.0.0.1"}]]),
    lambda detail: detail.update(bios=[[{"SerialNumber": None}]]),
    lambda detail: detail.update(cpu="unavailable"),
    lambda detail: detail.update(bios="unavailable", comp_sys={}),
    _lenovo_without_family,
)

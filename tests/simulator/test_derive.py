"""The facts derived from `wmi_detail`, and the words for those that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from tactical_simulator.fleet import derive

UNKNOWN = {
    "cpu_model": ["unknown cpu model"],
    "graphics": "Graphics info requires agent v1.4.14",
    "local_ips": "error getting local ips",
    "make_model": "unknown make/model",
    "physical_disks": ["unknown disk"],
    "serial_number": "",
}


@pytest.mark.parametrize("wmi", [None, {}, [], "unavailable"])
def test_windows_without_anything(wmi: Any) -> None:
    assert derive.derived_facts(False, wmi) == UNKNOWN


def test_posix_without_anything() -> None:
    posix = {"make_model": "error getting make/model", "graphics": "Error getting graphics cards"}
    assert derive.derived_facts(True, {}) == {**UNKNOWN, **posix}


def test_posix() -> None:
    wmi = {
        "cpus": ["Xeon, 8C/16T"],
        "gpus": [],
        "disks": ["sda"],
        "local_ips": ["203.0.113.54/24", "fd70::1/64"],
        "make_model": "Supermicro",
        "serialnumber": "S1",
    }
    assert derive.derived_facts(True, wmi) == {
        "cpu_model": ["Xeon, 8C/16T"],
        "graphics": "No graphics cards",
        "local_ips": "203.0.113.54/24, fd70::1/64",
        "make_model": "Supermicro",
        "physical_disks": ["sda"],
        "serial_number": "S1",
    }


def windows_model(vendor: Any, model: Any, family: Any = "", version: Any = "v1") -> Any:
    wmi = {
        "comp_sys": [[{"Name": "PC"}, {"Model": model}, {"SystemFamily": family}]],
        "comp_sys_prod": [[{"Vendor": vendor}, {"Version": version}]],
        "base_board": [[{"Manufacturer": "ASRock"}, {"Product": "B450M"}]],
    }
    return derive.make_model(False, wmi)


@pytest.mark.parametrize(
    ("vendor", "model", "family", "expected"),
    [
        ("HP", "ProLiant DL380 Gen9", "", "HP ProLiant DL380 Gen9"),
        ("LENOVO", "20L7S00W00", "ThinkPad T480s", "LENOVO ThinkPad T480s"),
        ("LENOVO", "11DT", "To be filled by O.E.M.", "LENOVO 11DT"),
        ("x", "TO BE FILLED by O.E.M.", "", "ASRock B450M"),
        ("HP", None, "", "v1"),
        ("HP", 42, "", "v1"),
        (7, "ProLiant", "", "v1"),
        ("Lenovo", "20L7", None, "v1"),
    ],
)
def test_windows_make_and_model(vendor: Any, model: Any, family: Any, expected: str) -> None:
    assert windows_model(vendor, model, family) == expected


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        (
            [[{"Name": "Xeon"}, {"NumberOfCores": 8, "NumberOfLogicalProcessors": 16}]],
            ["Xeon, 8C/16T"],
        ),
        (
            [[{"Name": "Xeon"}, {"NumberOfCores": 8}, {"NumberOfLogicalProcessors": 16}]],
            ["Xeon"],
        ),
        ([[{"Name": "A"}], [{"Name": "B"}]], ["A", "B"]),
        ([[{"NumberOfCores": 8}]], ["unknown cpu model"]),
    ],
)
def test_windows_cpus(cpu: Any, expected: list[str]) -> None:
    assert derive.cpu_model(False, {"cpu": cpu}) == expected


def test_windows_addresses_are_ipv4_only() -> None:
    config = [
        [{"IPAddress": None}],
        [{"Caption": "x"}, {"IPAddress": ["10.0.0.1", "fe80::1"]}],
        [{"DHCPEnabled": True}],
        [{"IPAddress": "10.0.0.9"}],
        [{"IPAddress": [7, None, "192.168.1.2"]}],
    ]
    assert derive.local_ips(False, {"network_config": config}) == "10.0.0.1, 192.168.1.2"


def test_windows_serial_is_read_from_the_first_object_only() -> None:
    assert derive.serial_number(False, {"bios": [[{"SerialNumber": "S1"}]]}) == "S1"
    assert derive.serial_number(False, {"bios": [[{"a": 1}, {"SerialNumber": "S1"}]]}) == ""


def test_windows_disks_and_graphics() -> None:
    disks = [
        [{"Caption": "Stick"}, {"InterfaceType": "USB"}],
        [{"Caption": "Raid"}, {"Size": "8001530265600"}, {"InterfaceType": "SCSI"}],
    ]
    assert derive.physical_disks(False, {"disk": disks}) == ["Raid 7,452GB SCSI"]
    remote = [{"Caption": "Microsoft Remote Display Adapter"}]
    assert derive.graphics(False, {"graphics": [remote]}) == "Microsoft Remote Display Adapter"
    assert derive.graphics(False, {"graphics": [remote, [{"Caption": "UHD"}]]}) == "UHD"

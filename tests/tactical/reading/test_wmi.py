"""Facts derived from raw `wmi_detail`: section 4.7 of the contract, piece by piece."""

from __future__ import annotations

from typing import Any

import pytest

from portal.tactical.reading import wmi

DELL = {
    "comp_sys": [[{"Name": "PC-1"}, {"Model": "OptiPlex 7050"}, {"SystemFamily": "OptiPlex"}]],
    "comp_sys_prod": [[{"Vendor": "Dell Inc."}, {"Version": "v1"}]],
    "base_board": [[{"Manufacturer": "ASUSTeK"}, {"Product": "PRIME B450"}]],
    "bios": [[{"SerialNumber": "ABC123"}, {"SerialNumber": "second"}]],
}


def with_parts(**parts: Any) -> dict[str, Any]:
    return {**DELL, **parts}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (DELL, "ABC123"),
        (with_parts(bios=[[{"SerialNumber": "  XY 1 "}]]), "XY 1"),
        (with_parts(bios=[[{"Manufacturer": "AMI"}, {"SerialNumber": "late"}]]), ""),
        (with_parts(bios=[["text", {"SerialNumber": "late"}]]), ""),
        (with_parts(bios=[[{"SerialNumber": None}]]), ""),
        (with_parts(bios=[[{"SerialNumber": 4200123456789}]]), "4200123456789"),
        (with_parts(bios=[[{"SerialNumber": 2**70}]]), str(2**70)),
        (with_parts(bios=[[{"SerialNumber": 0}]]), "0"),
        (with_parts(bios=[[{"SerialNumber": True}]]), ""),
        (with_parts(bios=[[{"SerialNumber": "None"}]]), ""),
        (with_parts(bios=[[]]), ""),
        (with_parts(bios=[]), ""),
        (with_parts(bios=None), ""),
        (with_parts(bios="text"), ""),
        ({}, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_serial_number(detail: Any, expected: str) -> None:
    assert wmi.serial_number("windows", detail) == expected


FILLED = [[{"Model": "To Be Filled By O.E.M."}]]


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (DELL, "Dell Inc. OptiPlex 7050"),
        (with_parts(comp_sys=FILLED), "ASUSTeK PRIME B450"),
        (with_parts(comp_sys=[[{"Model": "system to be filled"}]]), "ASUSTeK PRIME B450"),
        (with_parts(comp_sys=FILLED, base_board=[]), "v1"),
        (
            with_parts(
                comp_sys=[[{"Model": "20HD"}, {"SystemFamily": "ThinkPad T470"}]],
                comp_sys_prod=[[{"Vendor": "LENOVO"}]],
            ),
            "LENOVO ThinkPad T470",
        ),
        (
            with_parts(
                comp_sys=[[{"Model": "20HD"}, {"SystemFamily": "To be filled by O.E.M."}]],
                comp_sys_prod=[[{"Vendor": "lenovo"}]],
            ),
            "lenovo 20HD",
        ),
        (
            with_parts(
                comp_sys=[[{"Model": "20HD"}]],
                comp_sys_prod=[[{"Vendor": "LENOVO"}, {"Version": "ThinkPad T470"}]],
            ),
            "ThinkPad T470",
        ),
        (with_parts(comp_sys=[]), "v1"),
        (with_parts(comp_sys=[[{"Model": None}]]), "v1"),
        (with_parts(comp_sys=[[{"Model": 42}]]), "v1"),
        (with_parts(comp_sys_prod=[[{"Version": "ThinkStation P330"}]]), "ThinkStation P330"),
        (with_parts(comp_sys_prod=[[{"Vendor": "", "Version": "v1"}]]), "OptiPlex 7050"),
        (with_parts(comp_sys_prod=[[{"Vendor": None, "Version": None}]]), ""),
        (with_parts(comp_sys_prod=[]), ""),
        (with_parts(comp_sys="text", comp_sys_prod="text"), ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_make_and_model(detail: Any, expected: str) -> None:
    assert wmi.make_model("windows", detail) == expected


BOTH = {"NumberOfCores": 8, "NumberOfLogicalProcessors": 16}


@pytest.mark.parametrize(
    ("cpus", "expected"),
    [
        ([[{"Name": "Xeon"}, BOTH]], ("Xeon, 8C/16T",)),
        ([[{"Name": "Xeon"}, BOTH], [{"Name": "Xeon"}, BOTH]], ("Xeon, 8C/16T",) * 2),
        # Tactical looks for both in the first object that has one of them.
        ([[{"Name": "A"}, {"NumberOfCores": 8}, {"NumberOfLogicalProcessors": 16}]], ("A",)),
        ([[{"Name": "A"}, {"NumberOfCores": 4}, BOTH]], ("A",)),
        ([[{"Name": "A"}, {"NumberOfLogicalProcessors": 4}]], ("A",)),
        ([[{"Name": "A"}]], ("A",)),
        ([[{"Name": None}]], ()),
        # One that cannot be read, and Tactical knows none.
        ([[{"Name": "A"}], [{"Caption": "no name"}]], ()),
        ([[{"Name": "A"}], None], ()),
        ([], ()),
        (None, ()),
        ("unavailable", ()),
        ({"Name": "A"}, ()),
    ],
)
def test_cpus(cpus: Any, expected: tuple[str, ...]) -> None:
    assert wmi.cpu_models("windows", {"cpu": cpus}) == expected


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([[{"IPAddress": ["10.0.0.1", "fe80::1"]}]], "10.0.0.1"),
        ([[{"IPAddress": ["10.0.0.1"]}], [{"IPAddress": ["10.0.0.2"]}]], "10.0.0.1, 10.0.0.2"),
        ([[{"IPAddress": None}], [{"DHCP": True}], [{"IPAddress": ["10.0.0.2"]}]], "10.0.0.2"),
        ([[{"DHCP": 1}, {"IPAddress": ["10.0.0.1"]}, {"IPAddress": ["10.9.9.9"]}]], "10.0.0.1"),
        ([[{"IPAddress": ["fe80::1"]}]], ""),
        ([[{"IPAddress": "10.0.0.1"}]], ""),
        ([[{"IPAddress": [None, 17, ["10.0.0.1"], "10.0.0.300", "10.0.0.1/24"]}]], ""),
        ([None, 17, "text"], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_local_addresses(devices: Any, expected: str) -> None:
    assert wmi.local_ips("windows", {"network_config": devices}) == expected


REMOTE = [{"Caption": "Microsoft Remote Display Adapter"}]


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([[{"Caption": "NVIDIA P520"}]], "NVIDIA P520"),
        ([[{"Caption": "Intel UHD"}], [{"Caption": "NVIDIA P520"}]], "Intel UHD, NVIDIA P520"),
        ([REMOTE, [{"Caption": "NVIDIA P520"}]], "NVIDIA P520"),
        ([REMOTE], "Microsoft Remote Display Adapter"),
        ([], ""),
        ([[{"Name": "no caption"}]], ""),
        ([[{"Caption": None}]], ""),
        (None, ""),
    ],
)
def test_graphics(cards: Any, expected: str) -> None:
    assert wmi.graphics("windows", {"graphics": cards}) == expected


def disk(caption: Any = "ATA Disk", size: Any = 500107862016, kind: Any = "SCSI") -> list[Any]:
    return [{"Caption": caption}, {"Size": size}, {"InterfaceType": kind}]


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        ([disk()], ("ATA Disk 466GB SCSI",)),
        ([disk(size="500107862016")], ("ATA Disk 466GB SCSI",)),
        ([disk(size=4 * 1024**4)], ("ATA Disk 4,096GB SCSI",)),
        ([disk(), disk(kind="USB")], ("ATA Disk 466GB SCSI",)),
        ([disk(kind="USB", size=None)], ()),
        ([disk(), disk(size=None)], ()),
        ([disk(size="much")], ()),
        ([disk(size=float("inf"))], ()),
        ([[{"Caption": "x"}]], ()),
        (None, ()),
    ],
)
def test_disks(disks: Any, expected: tuple[str, ...]) -> None:
    assert wmi.physical_disks("windows", {"disk": disks}) == expected


@pytest.mark.parametrize("plat", ["linux", "darwin"])
def test_what_linux_and_macs_send_is_ready_made(plat: str) -> None:
    detail = {
        "serialnumber": "C02X",
        "make_model": "Apple MacBookPro18,3",
        "cpus": ["Apple M1 Pro", None, ""],
        "gpus": ["Apple M1 Pro", "AMD"],
        "disks": ["APPLE SSD 466GB NVMe"],
        "local_ips": ["10.20.1.2/24", "fd70::1/64"],
        "bios": [[{"SerialNumber": "not looked at"}]],
    }

    assert wmi.serial_number(plat, detail) == "C02X"
    assert wmi.make_model(plat, detail) == "Apple MacBookPro18,3"
    assert wmi.cpu_models(plat, detail) == ("Apple M1 Pro",)
    assert wmi.graphics(plat, detail) == "Apple M1 Pro, AMD"
    assert wmi.physical_disks(plat, detail) == ("APPLE SSD 466GB NVMe",)
    assert wmi.local_ips(plat, detail) == "10.20.1.2/24, fd70::1/64"


@pytest.mark.parametrize("junk", [None, "text", [["x"]], {"a": 1}, [None], True])
def test_junk_of_linux_and_macs_is_empty(junk: Any) -> None:
    keys = ("serialnumber", "make_model", "cpus", "gpus", "disks", "local_ips")
    detail = {key: junk for key in keys if junk != "text"}

    assert wmi.serial_number("linux", detail) == wmi.make_model("darwin", detail) == ""
    assert wmi.cpu_models("linux", detail) == wmi.physical_disks("linux", detail) == ()
    assert wmi.local_ips("linux", detail) == wmi.graphics("linux", detail) == ""


@pytest.mark.parametrize("number", [17, 2**70])
def test_numbers_of_linux_and_macs_are_those_numbers(number: int) -> None:
    detail = {"serialnumber": number, "make_model": number, "cpus": [number], "gpus": number}

    assert wmi.serial_number("linux", detail) == wmi.make_model("darwin", detail) == str(number)
    assert wmi.cpu_models("linux", detail) == (str(number),)
    assert wmi.graphics("linux", detail) == str(number)

"""Machines that agents run on, as WMI and the posix agents name them."""

from __future__ import annotations

from typing import NamedTuple

OEM = "To Be Filled By O.E.M."

BOARDS = (
    ("ASRock", "B450M Pro4"),
    ("Gigabyte Technology Co., Ltd.", "Z390 AORUS PRO-CF"),
    ("Micro-Star International Co., Ltd.", "MAG B550 TOMAHAWK (MS-7C91)"),
)
CPUS = (
    ("Intel(R) Core(TM) i5-10500 CPU @ 3.10GHz", 6, 12),
    ("11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz", 4, 8),
    ("AMD Ryzen 7 5800X 8-Core Processor", 8, 16),
    ("12th Gen Intel(R) Core(TM) i5-1245U", 10, 12),
    ("Intel(R) Core(TM)2 Duo CPU     E8400  @ 3.00GHz", 2, 2),
)
SERVER_CPUS = (
    ("Intel(R) Xeon(R) CPU E5-2620 v4 @ 2.10GHz", 8, 16),
    ("Intel(R) Xeon(R) Silver 4210R CPU @ 2.40GHz", 10, 20),
    ("AMD EPYC 7302P 16-Core Processor", 16, 32),
)
DISKS = (
    ("ATA CT500MX500SSD1 SCSI Disk Device", 500_105_249_280, "SCSI"),
    ("Samsung SSD 980 PRO 1TB", 1_000_202_273_280, "SCSI"),
    ("ST2000DM008-2FR102", 2_000_396_321_280, "IDE"),
    ("HP LOGICAL VOLUME SCSI Disk Device", 8_001_530_265_600, "SCSI"),
    ("SK hynix PC711 HFS256GDE9X073N", 256_052_966_400, "SCSI"),
)
USB_DISK = ("SanDisk Ultra USB Device", 30_750_289_920, "USB")
GRAPHICS = (
    "NVIDIA Quadro P520", "Intel(R) UHD Graphics 630", "Intel(R) Iris(R) Xe Graphics",
    "AMD Radeon(TM) Graphics", "Microsoft Basic Display Adapter",
)  # fmt: skip
REMOTE_GRAPHICS = "Microsoft Remote Display Adapter"
LINUX_MODELS = (
    "QEMU Standard PC (Q35 + ICH9, 2009)",
    "Supermicro Super Server",
    "HP ProLiant DL20",
)
MAC_MODELS = ("MacBookPro18,3", "Macmini9,1", "MacBookAir10,1", "iMac21,1")


class Machine(NamedTuple):
    """`family` and `version` as in Win32_ComputerSystem and Win32_ComputerSystemProduct."""

    vendor: str
    model: str
    family: str
    version: str


WORKSTATIONS = (
    Machine("Dell Inc.", "Latitude 5420", "Latitude", ""),
    Machine("Dell Inc.", "OptiPlex 7090", "OptiPlex", ""),
    Machine("HP", "HP EliteBook 840 G8 Notebook PC", "103C_5336AN HP EliteBook", "SBKPF,DWKSBLF"),
    Machine("HP", "HP ProDesk 600 G6 Microtower PC", "103C_53307F HP ProDesk", ""),
    Machine("LENOVO", "20L7S00W00", "ThinkPad T480s", "ThinkPad T480s"),
    Machine("LENOVO", "21CBCTO1WW", "ThinkPad X1 Carbon Gen 10", "ThinkPad X1 Carbon Gen 10"),
    Machine("LENOVO", "11DTS0L700", "To be filled by O.E.M.", "ThinkCentre M70s"),
    Machine("Microsoft Corporation", "Surface Laptop 4", "Surface", "124I:00036T:000M:0300000D:0B"),
    Machine("ASUSTeK COMPUTER INC.", "System Product Name", "", "System Version"),
    Machine("To Be Filled By O.E.M.", OEM, OEM, OEM),
)
SERVERS = (
    Machine("HP", "ProLiant DL380 Gen9", "ProLiant", ""),
    Machine("HPE", "ProLiant ML350 Gen10", "ProLiant", ""),
    Machine("Dell Inc.", "PowerEdge R740", "PowerEdge", ""),
    Machine("VMware, Inc.", "VMware7,1", "", "None"),
    Machine("Microsoft Corporation", "Virtual Machine", "Virtual Machine", "Hyper-V UEFI v4.1"),
)

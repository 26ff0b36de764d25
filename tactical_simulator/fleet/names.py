"""Words that the fleet's names are made of."""

from __future__ import annotations

SURNAMES = (
    "Krüger", "Whitfield", "Østergaard", "Marchetti", "Baumann", "Okonkwo", "Delacroix",
    "Hollis", "Jäger", "Szymański", "Rautio", "Pemberton", "Grønberg", "Castellanos", "Lindqvist",
    "Vögeli", "Abernathy", "Nakamura", "Dvořák", "O'Rourke", "Fairbanks", "Brâncuși", "Hartung",
    "Müllner", "Sinclair", "Yıldız", "Beaumont", "Tremblay", "Schönfeld", "Kowalczyk", "Ashworth",
    "Ferreira", "Björk", "Stavros", "Winterbourne", "Nguyen", "Gallagher", "Petrović", "Rosenthal",
    "Achterberg", "Löwe", "Mackenzie", "Iversen",
)  # fmt: skip
TRADES = (
    "Logistics", "Dental Care", "Architects", "Precision Tools", "Foods", "Legal", "Insurance",
    "Print & Paper", "Veterinary Clinic", "Timber", "Accounting", "Robotics", "Textiles",
    "Freight", "Optics", "Bau", "Elektrotechnik", "Catering", "Property", "Instruments",
    "Brewing", "Radiology", "Shipping",
)  # fmt: skip
FORMS = ("Ltd", "GmbH", "Inc.", "LLC", "AG", "& Partners", "Group", "S.A.")
SITES = (
    "HQ", "Warehouse", "Branch North", "Branch South", "Remote", "Showroom", "Plant 2",
    "Büro Süd", "Data Centre", "Harbour Office", "Workshop", "Niederlassung Köln", "Depot",
    "R&D Lab", "Sales", "Campus West", "Filiale Zürich", "Front Desk", "Home Office", "Annex <B>",
)  # fmt: skip
FIRST_NAMES = (
    "anna", "james", "zoë", "lukas", "mia", "oliver", "sofia", "björn", "priya", "tom", "ines",
    "daniel", "yuki", "chloe", "marek", "fatima", "erik", "laura", "hugo", "nora", "pavel",
    "grace", "samuel", "elif", "jonas",
)  # fmt: skip
LAST_NAMES = (
    "smith", "huber", "nielsen", "rossi", "novak", "garcia", "müller", "tanaka", "brown",
    "dubois", "svensson", "kaya", "murphy", "weiss", "lopez", "jansen", "kowalski", "evans",
)  # fmt: skip
WORKSTATION_NOTES = (
    "", "", "", "Reception", "Accounting desk 3", "Meeting room, shared", "Loaner laptop",
    "CNC control, do not reboot by day", "Buchhaltung – Frau Weiß", "CEO", "Packing line 2",
    "Design team", 'Kiosk "Lobby"', "Spare; return to IT", "経理部 2F", "<b>old</b> scanner PC",
)  # fmt: skip
SERVER_NOTES = (
    "", "Domain controller", "File and print", "SQL Server for the ERP", "Backup target",
    "Hyper-V host", "Web shop, prod", "Monitoring", "VPN gateway", "Terminal server – 25 Benutzer",
)  # fmt: skip
SERVER_ROLES = ("DC", "FS", "SQL", "APP", "RDS", "BAK", "HV", "PRT")
LINUX_HOSTS = ("web", "db", "nas", "proxy", "mail", "git", "mon", "vpn")
ODD_HOSTS = ("BÜRO", "EMPFANG-Ö", "経理", "Зал", "LAGER_2", "Kasse-é")
WORKSTATION_SYSTEMS = (
    "Microsoft Windows 10 Pro, 64bit (build 18363)",
    "Microsoft Windows 11 Pro, 64bit (build 22631)",
    "Windows 11 Pro, 64 bit v23H2 (build 22631.4460)",
    "Windows 11 Enterprise, 64 bit v24H2 (build 26100.2314)",
    "Windows 10 Enterprise LTSC 2021, 64 bit v21H2 (build 19044.5131)",
    "Windows 7 Professional, 32 bit (build 7601.24546)",
)
SERVER_SYSTEMS = (
    "Microsoft Windows Server 2019 Standard, 64bit (build 17763)",
    "Windows Server 2022 Standard, 64 bit v21H2 (build 20348.2849)",
    "Windows Server 2016 Datacenter, 64 bit v1607 (build 14393.7515)",
)
LINUX_SYSTEMS = (
    "debian 12.5 x86_64 6.1.0-21-amd64",
    "debian 11.9 x86_64 5.10.0-28-amd64",
    "ubuntu 22.04 x86_64 5.15.0-112-generic",
    "Rocky Linux 9.3 x86_64 5.14.0-362.el9.x86_64",
)
MAC_SYSTEMS = (
    "darwin 14.5 arm64 23.5.0",
    "darwin 13.6.7 x86_64 22.6.0",
    "darwin 15.1 arm64 24.1.0",
)
VERSIONS = ("2.11.0", "2.11.0", "2.11.0", "2.10.0", "2.9.1")
ZONES = (None, None, None, "Europe/Berlin", "America/New_York", "Asia/Tokyo")

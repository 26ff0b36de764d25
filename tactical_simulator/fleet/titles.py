"""Software as it is found on office computers: titles and their publishers."""

from __future__ import annotations

_MAKERS = {
    "Microsoft Corporation": (
        "Microsoft Edge",
        "Microsoft 365 Apps for business - en-us",
        "Microsoft OneDrive",
        "Microsoft Teams",
        "Microsoft Visual C++ 2015-2022 Redistributable (x64)",
        "Microsoft Visual C++ 2013 x86 Minimum Runtime",
        "Microsoft SQL Server 2019 (64-bit)",
        "Microsoft .NET Runtime - 8.0.10 (x64)",
        "Microsoft Silverlight",
        "Windows SDK AddOn",
        "Microsoft ODBC Driver 17 for SQL Server",
        "PowerShell 7-x64",
        "Microsoft Update Health Tools",
        "Microsoft Edge WebView2 Runtime",
        "Office 16 Click-to-Run Extensibility Component",
    ),
    "Adobe": ("Adobe Acrobat Reader", "Adobe Creative Cloud", "Adobe Genuine Service"),
    "Mozilla": ("Mozilla Firefox (x64 de)", "Mozilla Maintenance Service", "Mozilla Thunderbird"),
    "Google LLC": ("Google Chrome", "Google Drive", "Google Update Helper"),
    "Igor Pavlov": ("7-Zip 23.01 (x64)", "7-Zip 19.00 (x64 edition)"),
    "Oracle Corporation": ("Java 8 Update 401", "Oracle VM VirtualBox", "MySQL Workbench 8.0 CE"),
    "HP Inc.": ("HP Support Assistant", "HP Wolf Security", "HP Hotkey Support"),
    "Dell Inc.": ("Dell Command | Update", "Dell SupportAssist", "Dell Power Manager Service"),
    "Lenovo": ("Lenovo System Update", "Lenovo Vantage Service"),
    "Intel Corporation": ("Intel(R) Chipset Device Software", "Intel(R) Management Engine"),
    "VideoLAN": ("VLC media player",),
    "Zoom Video Communications, Inc.": ("Zoom Workplace (64-bit)",),
    "DATEV eG": ("DATEV Arbeitsplatz", "DATEV Lohn und Gehalt"),
    "一般社団法人": ("電子申請アップロードツール", "筆まめ Ver.33"),
    "Łukasz & Wspólnicy": ("Płatnik 10.02", "Księgowość „Żółw”"),
    "AmidaWare Inc": ("Tactical RMM Agent", "Mesh Agent"),
    'The "Quoted" Company': ('Label Printer "Pro" <v2>', "Back\\slash Tools"),
    "": ("Unbekannte Anwendung", "hotfix-kb5031455", "ASUS AURA lighting"),
}
_COMPONENTS = (
    "Python 3.12.4 {} (64-bit)", "LibreOffice {} Help Pack", "Autodesk {} Content Library",
    "NVIDIA {} Driver", "Epson {} Utility", "Brother {} Scanner Wizard", "SAP GUI {} Patch",
)  # fmt: skip
_PARTS = (
    "Core", "Standard Library", "Documentation", "Executables", "Test Suite", "Tcl/Tk Support",
    "Audio", "Graphics", "Network", "Fonts", "Templates", "Language Pack", "Update Service",
    "Diagnostics", "Remote Support", "Connector", "Runtime", "Viewer",
)  # fmt: skip


def _titles() -> tuple[tuple[str, str], ...]:
    named = [(title, maker) for maker, titles in _MAKERS.items() for title in titles]
    parts = [(text.format(part), text.split()[0]) for part in _PARTS for text in _COMPONENTS]
    return (*named, *parts)


TITLES = _titles()

"""What a real serial number is: one that a maker gave to one computer.

Many boards leave the maker with a placeholder, and Tactical passes it on. To take a placeholder
for a serial number joins two computers into one asset; to take a serial number for a placeholder
costs one automatic relink. So what is in doubt is junk.
"""

from __future__ import annotations

from itertools import pairwise

LONGEST_JUNK = 3
"""In characters: `0`, `N/A`, `123`."""

# Compared by letters and digits alone, so that "To be filled by O.E.M" and "DefaultString" are
# found too. Runs (`0000000`, `0123456789`) are recognised by their form, in `_is_pattern`.
_JUNK_BY_SOURCE = {
    # What firmware holds where the maker filled nothing in: issues of FusionInventory (283, ASUS;
    # 2823, MSI), CloudLAPS (58) and EVE (pull request 6381); the names of the fields themselves.
    "boards": (
        "To be filled by O.E.M.",
        "Default string",
        "System Serial Number",
        "SystemSerialNumb",
        "Chassis Serial Number",
        "Base Board Serial Number",
        "Board Serial Number",
        "BIOS Serial Number",
        "Serial Number",
        "SerNum",
        "Serial",
        "O.E.M.",
        "OEM_Serial",
        "OEM",
        "Standard",
        "Not Applicable",
        "Not Available",
    ),
    # dmidecode.c, `dmi_string` and `dmi_system_uuid`: its words for a string that is not there.
    "dmidecode": (
        "Not Specified",
        "<BAD INDEX>",
        "<OUT OF SPEC>",
        "Not Present",
        "Not Settable",
        "Unknown",
        "Other",
    ),
    # GLPI, `Blacklist::getDefaults`, and OCS Inventory, table `blacklist_serials`.
    "GLPI and OCS Inventory": (
        "(null string)",
        "INVALID",
        "SYS-1234567890",
        "SYS-9876543210",
        "SN-12345",
        "SN-1234567890",
        "SN-123456fvgv3i0b8o5n6n7k",
        "MB-1234567890",
        "123456789000",
        "EVAL",
        "IATPASS",
        "Tulip Computers",
        "Serial Number xxxxxx",
        "Unknow",
        "empty",
    ),
    # The asset tag of the boards in FusionInventory's issue 283, and its like.
    "asset tags": ("Asset-1234567890", "No Asset Tag", "No Asset Information"),
    # A guest whose definition was copied from an example (EVE's pull request 52).
    "QEMU": ("31415926",),
    # What programs write for nothing: WMI, Python, JSON, shells.
    "programs": ("None", "Null", "nil", "undefined", "NaN", "false", "true", "error", "Test"),
}


def _core(text: str) -> str:
    """The letters and digits, in one case."""
    return "".join(filter(str.isalnum, text)).upper()


JUNK = frozenset(_core(text) for texts in _JUNK_BY_SOURCE.values() for text in texts)
"""Serial numbers that are none, as `_core` leaves them."""


def real_serial(text: str | None) -> str | None:
    """The serial number in normal form, or None where it distinguishes no computers.

    In normal form it is in capitals, with single blanks: what two agents read from one board is
    then equal.
    """
    serial = " ".join((text or "").split()).upper()
    core = _core(serial)
    if len(serial) <= LONGEST_JUNK or core in JUNK or _is_pattern(core):
        return None
    return serial


def _is_pattern(core: str) -> bool:
    """Nothing, one character again and again, only zeros and ones, or a count (`0123456789`)."""
    if len(set(core)) < 2 or set(core) <= {"0", "1"}:
        return True
    return core.isdecimal() and all(
        (int(after) - int(before)) % 10 == 1 for before, after in pairwise(core)
    )

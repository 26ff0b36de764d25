"""What a real serial number is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from portal.sync.devices.identity.serials import JUNK, real_serial

JUNK_SEEN = [
    *(None, "", "   ", "\t", "0", "00", "123", "N/A", "n/a", "-", "--------", "...."),
    *("None", "NONE", "null", "(null string)", "Unknown", "unknow", "INVALID", "empty"),
    *("To be filled by O.E.M.", "To Be Filled By O.E.M", "TO BE FILLED BY OEM"),
    *("Default string", "DefaultString", " default  string "),
    *("System Serial Number", "SystemSerialNumb", "Chassis Serial Number", "Serial Number"),
    *("Not Specified", "Not Applicable", "<BAD INDEX>", "OEM_Serial"),
    *("0000000", "0000-0000-0000", "0000 0000", "11111111", "XXXXXXXXXX", "xxxxxxx", "FFFFFFFF"),
    *("0101010101", "1000000000", "0123456789", "123456789", "1234567890", "01234567890123"),
    *("SYS-1234567890", "SN-12345", "MB-1234567890", "123456789000", "31415926"),
]
REAL = [
    ("5CG8241KLM", "5CG8241KLM"),
    ("  pf0abc12 ", "PF0ABC12"),
    ("VMware-56 4d 3a  9c 8b aa 12 f0", "VMWARE-56 4D 3A 9C 8B AA 12 F0"),
    ("1234-5678-9012-3456-7890-1234-57", "1234-5678-9012-3456-7890-1234-57"),
    ("C02XK0AAJG5H", "C02XK0AAJG5H"),
    ("ABCD", "ABCD"),
    ("4200123456789", "4200123456789"),
    ("ABCD123456", "ABCD123456"),
    ("Serial Number 77", "SERIAL NUMBER 77"),
]


@pytest.mark.parametrize("text", JUNK_SEEN)
def test_a_placeholder_is_no_serial_number(text: str | None) -> None:
    assert real_serial(text) is None


@pytest.mark.parametrize(("text", "serial"), REAL)
def test_a_real_one_is_in_normal_form(text: str, serial: str) -> None:
    assert real_serial(text) == serial


@pytest.mark.parametrize("junk", sorted(JUNK))
def test_junk_is_junk_however_it_is_written(junk: str) -> None:
    assert real_serial(f" {junk.lower()}. ") is None


@given(some.text(max_size=40))
@example("ŉŉŉŉ")
@example("ß²³١٢٣٤")
def test_of_any_text_the_normal_form_is_its_own(text: str) -> None:
    serial = real_serial(text)
    assert serial is None or (len(serial) > 3 and real_serial(serial) == serial)


@given(some.sampled_from([text for text, _ in REAL]), some.sampled_from(["", " ", "\t", "\n  "]))
def test_blanks_around_and_case_make_no_other_serial_number(text: str, blank: str) -> None:
    assert real_serial(f"{blank}{text.lower()}{blank}") == real_serial(text)

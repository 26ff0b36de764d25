"""Names of software as installers write them, each labelled with the product that it is: two
products never become one, and hardly a name is missed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.product_names import fold_publisher, name_product

pytestmark = pytest.mark.one_database

NAMES = Path(__file__).with_name("product_names.txt")
MISSED = " ~"
PIECES = [*"()[]-.,/ ", "1.1", "v", "x64", "64-bit", "de-de", "Ver.", "update 3", "MUI", "İ", "ß"]


def labelled() -> Iterator[tuple[str, str, bool]]:
    """The product, the name, and whether it is known to be missed."""
    product = ""
    for line in NAMES.read_text().splitlines():
        if line.startswith("    "):
            yield product, line.strip().removesuffix(MISSED), line.endswith(MISSED)
        elif not line.startswith("#"):
            product = line.strip() or product


def test_two_products_never_become_one_and_few_names_are_missed() -> None:
    names = list(labelled())
    right = {name_product(name).key: product for product, name, missed in names if not missed}
    assert len(names) >= 200
    for product, name, missed in names:
        found = name_product(name)
        if missed:
            assert found.key not in right, name
        else:
            assert (found.name, right[found.key]) == (product, product), name
    assert sum(missed for *_, missed in names) / len(names) < 0.05


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("7-Zip 23.01 (x64)", "23.01"),
        ("Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.38.33135", "14.38.33135"),
        ("Adobe Reader XI (11.0.23) MUI", "11.0.23"),
        ("Git version 2.39.1", "2.39.1"),
        ("PowerShell 7-x64", "7"),
        ("筆まめ Ver.33", "33"),
        ("Office 2016", ""),
        ("Java 8 Update 351", ""),
        ("Intel(R) USB 3.0 eXtensible Host Controller Driver", ""),
    ],
)
def test_a_version_in_the_name_is_told(name: str, version: str) -> None:
    assert name_product(name).version == version


@pytest.mark.parametrize(
    "spellings",
    [
        ("Microsoft Corporation", "Microsoft", "MICROSOFT CORP.", "Microsoft Corporations"),
        ("Adobe Systems Incorporated", "Adobe Inc.", "Adobe", "Adobe Systems, Inc"),
        ("Mozilla", "Mozilla Corporation"),
        ("Google LLC", "Google, Inc.", "GOOGLE INC"),
        ("Intel(R) Corporation", "Intel Corporation", "Intel®"),
        ("Zoom Video Communications, Inc.", "Zoom"),
        (
            "The Wireshark developer community, https://www.wireshark.org",
            "Wireshark developer community",
        ),
        ("DATEV eG", "DATEV"),
    ],
)
def test_a_publisher_is_one_in_all_its_spellings(spellings: tuple[str, ...]) -> None:
    assert len({fold_publisher(each) for each in spellings}) == 1


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60).map("".join))
def test_any_text_has_a_name_unless_it_is_blank(text: str) -> None:
    found = name_product(text)
    assert bool(found.key) == bool(re.sub(r"\s", "", text)) or not text.isprintable()
    fold_publisher(text)


@pytest.mark.parametrize("begins", ["", "("])
@pytest.mark.parametrize(
    "piece", ["1.1", "(1.11.1", "(x64 ", "- ", " v1", "(de,", "update 1 ", "v1.1 ", "ver. 1.1,"]
)
def test_no_name_takes_long(begins: str, piece: str) -> None:
    """As long as a name may be, and such as would make a careless pattern try for ever."""
    name_product((begins + piece * 300)[:300] + "!")

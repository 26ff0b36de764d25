"""A cell of a CSV file is text to a spreadsheet, whatever it holds and whatever separates there."""

from __future__ import annotations

import csv
import io
import re

import pytest

from portal.services.csv_lines import to_csv

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
UNSEEN = re.compile(r"^[\s\"\x00-\x1f\x7f\u00ad\u200b\ufeff]+")
"""Some programs leave out at a cell's begin what cannot be seen."""


def write(value: object) -> str:
    return "".join(
        to_csv(["before", "cell", "after"], [{"before": "a", "cell": value, "after": "b"}])
    )


def cells(text: str, separator: str) -> list[str]:
    """Where a comma separates, quotes count; elsewhere a cell ends wherever it looks like it."""
    if separator == ",":
        return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    return re.split(f"[{separator}\r\n]", text)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    "begin",
    [
        "",
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        '"',
        "'",
        "\u00a0",
        "\ufeff",
        "\u200b",
        "\x00",
        "x;\u00ad\x7f",
        "x;",
        "x; ",
        'x;"',
        "x\n",
        "x\r",
        "x\t",
        ";;",
    ],
)
def test_no_cell_begins_a_formula(sign: str, begin: str) -> None:
    text = write(f"{begin}{sign}1+1")
    for separator in (",", ";", "\t"):
        begins = [UNSEEN.sub("", cell) for cell in cells(text, separator)]
        assert [cell for cell in begins if cell.startswith(SIGNS)] == []


@pytest.mark.parametrize("begin", ["\t", "\r", "\n"])
def test_a_cell_that_begins_with_a_control_character_is_text(begin: str) -> None:
    (row,) = list(csv.DictReader(io.StringIO(write(begin + "cmd"), newline="")))
    assert row["cell"] == "'" + begin + "cmd"


@pytest.mark.parametrize("begin", ["\n", "\t", "; ", '"', "\u200b"])
def test_a_long_cell_of_nothing_is_written_at_once(begin: str) -> None:
    """If each place looked through the rest, it would take hours."""
    lines = begin * 500_000
    assert write(f"x{lines}y").count(begin) >= 500_000
    assert write(f"x\t{lines}=1").count("'") == 1


@pytest.mark.parametrize(
    "value",
    [
        "SRV-01",
        "a, -b",
        "10.0.0.1",
        "C:\\x; y",
        "one; two-three",
        "a=b",
        "mail@x.example",
        "O'Hara",
    ],
)
def test_what_is_no_formula_stays_as_it_is(value: str) -> None:
    (row,) = list(csv.DictReader(io.StringIO(write(value))))
    assert row["cell"] == value


@pytest.mark.parametrize(("value", "shown"), [(-5, "-5"), (1.5, "1.5"), (None, ""), (True, "True")])
def test_a_number_is_a_number(value: object, shown: str) -> None:
    (row,) = list(csv.DictReader(io.StringIO(write(value))))
    assert row["cell"] == shown

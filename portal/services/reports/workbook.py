"""A client's month as a workbook of Excel's."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from portal.services.past.walking import PastAsset
from portal.services.reports.client_month import ClientMonth, Line
from portal.services.reports.software_changes import SoftwareLine
from portal.services.reports.words import (
    TYPES,
    list_limits,
    say_bill,
    say_came,
    say_end,
    say_went,
)

LONGEST = 32_767
"""What a cell holds."""
_ASSET = ("Name", "Type", "Site", "Serial number", "Agent id")


def to_workbook(report: ClientMonth) -> bytes:
    import xlsxwriter  # noqa: PLC0415  # when a file is asked for: no page and no worker needs it

    file = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        sheets = _Sheets(book)
        sheets.add("Month", ("", ""), _summary(report), widths=(34, 60))
        sheets.add("Fleet", (*_ASSET, "First seen"), map(_fleet_row, report.fleet))
        sheets.add("Came and went", (*_ASSET, "When", "What", "Counts as"), _events(report))
        alerts = ("Asset", "Severity", "Type", "Message", "Raised", "Resolved")
        sheets.add(
            "Alerts",
            alerts,
            (
                (a.asset, a.severity, a.alert_type, a.message, a.triggered_at, a.resolved_at)
                for a in report.alerts
            ),
        )
        software = ("Software", "Publisher", "Installed on", "Updated on", "Gone from")
        sheets.add("Software", (*software, "From", "To"), map(_software_row, report.software))
    return file.getvalue()


class _Sheets:
    """Written row by row: what was written is in no memory any more."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._heading = book.add_format({"bold": True, "bottom": 1})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def add(
        self,
        name: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        widths: Sequence[int] = (28, 14, 22, 22, 20, 20, 32, 12),
    ) -> None:
        sheet = self._book.add_worksheet(name)
        for number, width in enumerate(widths):
            sheet.set_column(number, number, width)
        first = 0
        if any(columns):
            sheet.freeze_panes(1, 0)
            for number, column in enumerate(columns):
                sheet.write_string(0, number, column, self._heading)
            first = 1
        for line, row in enumerate(rows, first):
            for number, value in enumerate(row):
                self._write(sheet, line, number, value)

    def _write(self, sheet: Any, line: int, number: int, value: Any) -> None:
        """A text is a text, whatever it begins with: names come from outside."""
        if isinstance(value, datetime):
            moment = value.astimezone().replace(tzinfo=None)
            sheet.write_datetime(line, number, moment, self._moment)
        elif isinstance(value, int):
            sheet.write_number(line, number, value)
        elif value:
            sheet.write_string(line, number, str(value)[:LONGEST])


def _summary(report: ClientMonth) -> Iterable[tuple[str, Any]]:
    yield "Client", report.client.name
    yield "Month", report.month.name
    yield "Times", f"{report.until.astimezone():%Z}"
    yield "In one sentence", say_bill(report)
    for word in TYPES:
        yield f"{word.capitalize()}s on {say_end(report)}", report.fleet_by_type[word]
    yield "Computers at the beginning", len(report.before)
    yield "Added", len(report.added)
    yield "Gone", len(report.gone)
    yield "of these, retired", report.retired
    yield "Came and went within the month", len(report.passed)
    for word, number in report.alerts_by_severity.items():
        yield f"Alerts raised: {word}", number
    yield "Alerts resolved", report.resolved
    for sentence in list_limits(report):
        yield "Note", sentence


def _fleet_row(asset: PastAsset) -> tuple[Any, ...]:
    return (*_asset(asset), asset.created_at)


def _software_row(line: SoftwareLine) -> tuple[Any, ...]:
    versions = (", ".join(filter(None, each)) for each in (line.updated_from, line.updated_to))
    return (line.name, line.publisher, line.came, line.updated, line.went, *versions)


def _events(report: ClientMonth) -> Iterable[tuple[Any, ...]]:
    for line in report.added:
        yield (*_event(line), say_came(line), "added")
    for line in report.gone:
        yield (*_event(line), say_went(line), "gone")
    for line in report.passed:
        yield (*_event(line), say_went(line), "came and went")


def _event(line: Line) -> tuple[Any, ...]:
    return (*_asset(line.asset), line.at)


def _asset(asset: PastAsset) -> tuple[Any, ...]:
    return (
        asset.name,
        asset.asset_type,
        asset.site_name,
        asset.serial_number,
        asset.rmm_device_id,
    )

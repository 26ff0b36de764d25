"""The month of a client: to read, to print, and as a workbook."""

from __future__ import annotations

import re

from flask import Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.accounts.permissions import Permission
from portal.services.audit.exports import record_export
from portal.services.clients import get_client
from portal.services.past.days import list_months
from portal.services.reports import words as wording
from portal.services.reports.client_month import read_client_month
from portal.services.reports.workbook import to_workbook
from portal.web.clients.views import clients
from portal.web.fragments import words
from portal.web.guard import requires

ALERTS_SHOWN = 25
PRODUCTS_SHOWN = 25
COMPUTERS_SHOWN = 200
"""Of ten thousand, a page takes seconds and a printer a ream."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@clients.get("/<int:client_id>/report")
@requires(Permission.READ)
def report(client_id: int) -> ResponseReturnValue:
    client, month = get_client(client_id), words("month")
    try:
        its = read_client_month(client_id, month)
    except InvalidInput as error:
        problem, its, status = error.message, None, 422 if month else 200
    else:
        problem, status = "", 200
    page = render_template(
        "clients/report.html",
        client=client,
        report=its,
        problem=problem,
        typed=month,
        months=[(str(each), each.name) for each in list_months()],
        words=wording,
        most_alerts=ALERTS_SHOWN,
        most_products=PRODUCTS_SHOWN,
        most_computers=COMPUTERS_SHOWN,
        as_of=its.month.last_day if its and its.is_over else None,
    )
    return page, status


@clients.get("/<int:client_id>/report.xlsx")
@requires(Permission.READ)
def report_file(client_id: int) -> ResponseReturnValue:
    try:
        its = read_client_month(client_id, words("month"))
    except InvalidInput:  # the page says why
        return redirect(
            url_for("clients.report", client_id=client_id, month=words("month") or None)
        )
    record_export("client-report", "xlsx", {"client": its.client.name, "month": str(its.month)})
    name = re.sub(r"[^a-z0-9]+", "-", its.client.name.lower()).strip("-") or f"client-{client_id}"
    headers = {"Content-Disposition": f'attachment; filename="{name}-{its.month}.xlsx"'}
    return Response(to_workbook(its), mimetype=XLSX, headers=headers)

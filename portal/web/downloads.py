"""Lists as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, request, stream_with_context

from portal.clock import utc_now
from portal.scope import allowed_clients, known_by, limited_to, own_address, tenant_scope
from portal.services.audit.exports import record_export
from portal.services.csv_lines import to_csv
from portal.web.guard import get_tenant


def send_csv(
    name: str, columns: Iterable[str], rows: Iterator[dict[str, Any]], chosen: int | None = None
) -> Response:
    """The rows, read while they are sent; the file is called after the list, tenant and day.
    `chosen`: how many a person ticked, where it is these and not all of the list."""
    tenant, clients, address = get_tenant(), allowed_clients(), own_address()
    filters = {name: value for name, value in request.args.items() if value}
    ticked = {} if chosen is None else {"chosen": chosen}
    record_export(name, "csv", (request.view_args or {}) | filters | ticked)

    def lines() -> Iterator[str]:
        with tenant_scope(tenant.id), limited_to(clients), known_by(address):
            yield from to_csv(columns, rows)

    file = f"{name}-{tenant.slug}-{utc_now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return Response(stream_with_context(lines()), mimetype="text/csv", headers=headers)

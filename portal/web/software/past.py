"""Software as of a past day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.services.lists.paging import paginate_list
from portal.services.past.fleet import name_clients, read_fleet
from portal.services.past.software import (
    PAST_SOFTWARE_COLUMNS,
    export_past_software,
    list_installs_of,
    list_past_products,
    name_past_product,
    read_past_products,
    read_past_software,
)
from portal.services.software.products import describe_product
from portal.web.fragments import page_number, page_or_region, words
from portal.web.past import PastDay, export_past_day, read_past_day, refuse_day


def show_past_products() -> ResponseReturnValue:
    try:
        past = read_past_day()
    except InvalidInput as error:
        return refuse_day("Software", error)
    software = read_past_products(past.end)
    return page_or_region(
        "past/software.html",
        {"past-rows": "past/_software.html"},
        past=past,
        q=words("q"),
        page=list_past_products(software, words("q"), page_number()),
    )


def show_past_product(product_id: int) -> ResponseReturnValue:
    """Which assets had it."""
    try:
        past = read_past_day()
    except InvalidInput as error:
        return refuse_day(describe_product(product_id).name, error)
    fleet = read_fleet(past.end)
    found = list_installs_of(read_past_software(fleet), product_id)
    try:
        name, is_there_today = describe_product(product_id).name, True
    except NotFound:
        if not found:
            raise
        name, is_there_today = name_past_product(product_id), False
    page = paginate_list(found, page_number())
    return page_or_region(
        "past/product.html",
        {"past-rows": "past/_product.html"},
        past=past,
        product_id=product_id,
        name=name,
        is_there_today=is_there_today,
        page=page,
        clients=name_clients(row.asset for row, _version in page.items),
    )


def export_past_list() -> ResponseReturnValue:
    """Every install of that day of products that the list shows."""

    def read_rows(past: PastDay) -> Iterator[dict[str, Any]]:
        return export_past_software(read_past_software(read_fleet(past.end)), words("q"))

    return export_past_day("software", "software.index", PAST_SOFTWARE_COLUMNS, read_rows)

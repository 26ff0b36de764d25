"""Software: of the fleet, of one title, and their exports."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.export import SOFTWARE_COLUMNS, export_software
from portal.services.integrations.current import find_integration
from portal.services.runs.history import find_active_run, find_last_finished_run
from portal.services.software.installs import (
    NO_VERSION,
    InstallFilter,
    choose_versions,
    install_conditions,
    list_installs,
    list_titles_of,
    list_versions,
)
from portal.services.software.products import (
    ProductFilter,
    any_products,
    describe_product,
    list_products,
    product_id_of,
)
from portal.services.software.titles import TITLE_COLUMNS, export_titles
from portal.versions import is_known_version
from portal.web.client_filter import find_shown_client, read_client_id
from portal.web.downloads import send_csv
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import requires, tenant_blueprint
from portal.web.past import wanted_day
from portal.web.saved_views.look import list_context
from portal.web.software.past import export_past_list, show_past_product, show_past_products

software = tenant_blueprint("software", __name__)

PRODUCT_FILTERS = ("client_id", "client_name", "version", "older_than", "show", "as_of")
"""What may be asked of a product in its page's address."""


@software.get("/software/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    if wanted_day():
        return show_past_products()
    shown = _read_products()
    page = list_products(shown, page_number())
    return page_or_region(
        "software/list.html",
        {"software-rows": "software/_rows.html"},
        **list_context("software"),
        filters={"q": shown.search, "show": "all" if shown.with_gone else ""},
        sort=shown.sort,
        page=page,
        any_products=page.total > 0 or any_products(),
        integration=find_integration(),
        last_run=find_last_finished_run(SyncKind.SOFTWARE),
        run=find_active_run(SyncKind.SOFTWARE),
    )


@software.get("/software/export.csv")
@requires(Permission.READ)
def export() -> ResponseReturnValue:
    """The titles of the products that the list shows, streamed; of a past day every install."""
    if wanted_day():
        return export_past_list()
    return send_csv("software", TITLE_COLUMNS, export_titles(_read_products()))


@software.get("/software/<int:title_id>")
@requires(Permission.READ)
def show(title_id: int) -> ResponseReturnValue:
    """A title is a part of its product."""
    product_id = product_id_of(title_id)
    if product_id is None:
        return redirect(url_for("software.index"))
    asked = request.args.items()
    query: dict[str, Any] = {name: value for name, value in asked if name in PRODUCT_FILTERS}
    return redirect(url_for("software.product", product_id=product_id, **query))


@software.get("/software/products/<int:product_id>")
@requires(Permission.READ)
def product(product_id: int) -> ResponseReturnValue:
    if wanted_day():
        return show_past_product(product_id)
    shown = _read_installs(product_id)
    found, versions = describe_product(product_id, shown.titles), list_versions(shown)
    chosen = choose_versions(shown, versions)
    return page_or_region(
        "software/detail.html",
        {"install-rows": "software/_installs.html"},
        product=found,
        versions=versions,
        no_version=NO_VERSION,
        page=list_installs(shown, chosen, page_number()),
        shown=shown,
        client=find_shown_client(shown.client_id),
        is_comparable=is_known_version(shown.older_than),
        not_compared=sum(each.assets for each in versions if not each.is_known),
    )


@software.get("/software/products/<int:product_id>/export.csv")
@requires(Permission.READ)
def export_of_product(product_id: int) -> ResponseReturnValue:
    """The installs of the product that its page shows, streamed."""
    shown = _read_installs(product_id)
    found = describe_product(product_id, shown.titles)
    chosen = choose_versions(shown, list_versions(shown))
    rows = export_software(*install_conditions(shown, chosen))
    return send_csv(f"software-{found.id}", SOFTWARE_COLUMNS, rows)


def _read_products() -> ProductFilter:
    return ProductFilter(words("q"), words("show") == "all", words("sort") or "name")


def _read_installs(product_id: int) -> InstallFilter:
    return InstallFilter(
        list_titles_of(product_id),
        read_client_id(),
        words("version"),
        words("older_than"),
        removed=words("show") == "gone",
        missing=words("show") == "missing",
    )

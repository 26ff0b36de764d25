"""Clients: the list, one client, and the picker that other pages use."""

from __future__ import annotations

from flask import flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services import clients as client_service
from portal.services.accounts.permissions import Permission
from portal.services.client_choosing import ChosenClients
from portal.services.client_listing import list_clients, read_client_states
from portal.services.client_overview import get_client_overview
from portal.services.organizations.listing import OrganizationFilter, count_organizations
from portal.services.windows.editing import HOURS
from portal.web.clients.forms import ClientForm
from portal.web.clients.past import export_past_list, show_past_clients
from portal.web.dashboard.pictures import draw_statuses
from portal.web.downloads import send_csv
from portal.web.forms import mark
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import requires, tenant_blueprint
from portal.web.past import wanted_day
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.saved_views.look import list_context
from portal.wording import plural

clients = tenant_blueprint("clients", __name__, "/clients")


@clients.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    q, sort = words("q"), words("sort") or "name"
    if wanted_day():
        return show_past_clients(q)
    page = list_clients(q, page_number(), sort)
    is_empty = not page.items and not q
    return page_or_region(
        "clients/list.html",
        {"client-rows": "clients/_rows.html"},
        page=page,
        states=read_client_states([client.id for client in page.items]),
        organizations=count_organizations()[OrganizationFilter.ALL] if is_empty else 0,
        **list_context("clients"),
        q=q,
        sort=sort,
    )


@clients.get("/export.csv")
@requires(Permission.READ)
def export() -> ResponseReturnValue:
    """The clients that the list shows, streamed."""
    if wanted_day():
        return export_past_list(words("q"))
    rows = client_service.export_clients(ChosenClients(named=words("q")).to_conditions())
    return send_csv("clients", client_service.CLIENT_COLUMNS, rows)


@clients.get("/picker")
@requires(Permission.READ)
def picker() -> ResponseReturnValue:
    """`{"total", "options": [{"id", "name", "note"}]}` for the client picker."""
    found = client_service.pick_clients(words("q"))
    options = [
        {"id": row.id, "name": row.name, "note": plural(row.assets, "asset")} for row in found.items
    ]
    return jsonify(total=found.total, options=options)


@clients.route("/new", methods=["GET", "POST"])
@requires(Permission.MAP)
def new() -> ResponseReturnValue:
    form = ClientForm()
    if not form.is_submitted():
        return render_template("clients/form.html", form=form, client=None)
    try:
        client = client_service.add_client(form.name.data or "")
    except InvalidInput as error:
        mark(form, error)
        return render_template("clients/form.html", form=form, client=None), 422
    flash(f"Added {client.name}.", "success")
    return redirect(url_for("clients.show", client_id=client.id))


@clients.get("/<int:client_id>")
@requires(Permission.READ)
def show(client_id: int) -> ResponseReturnValue:
    overview = get_client_overview(client_id)
    return render_template(
        "clients/detail.html",
        client=overview.client,
        overview=overview,
        statuses=draw_statuses(overview.days, client_id),
        maintenance_hours=HOURS,
    )


@clients.route("/<int:client_id>/edit", methods=["GET", "POST"])
@requires(Permission.MAP)
def edit(client_id: int) -> ResponseReturnValue:
    client = client_service.get_client(client_id)
    form = ClientForm(name=client.name)
    if not form.is_submitted():
        return render_template("clients/form.html", form=form, client=client)
    try:
        client = client_service.rename_client(client_id, form.name.data or "")
    except InvalidInput as error:
        mark(form, error)
        client = client_service.get_client(client_id)
        return render_template("clients/form.html", form=form, client=client), 422
    flash(f"Renamed to {client.name}.", "success")
    return redirect(url_for("clients.show", client_id=client_id))


@clients.post("/<int:client_id>/delete")
@requires(Permission.MAP)
@fresh_sign_in_required
def delete(client_id: int) -> ResponseReturnValue:
    try:
        name = client_service.delete_client(client_id)
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("clients.show", client_id=client_id))
    flash(f"Deleted {name}.", "success")
    return redirect(url_for("clients.index"))

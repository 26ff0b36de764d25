"""Organizations and the clients they stand for: the mapping page."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.extensions import htmx
from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.clients import find_client_by_name, get_client
from portal.services.export import ORGANIZATION_COLUMNS, export_organizations
from portal.services.integrations.current import find_integration
from portal.services.organizations import listing as organization_service
from portal.services.organizations import many
from portal.services.organizations import mapping as mapping_service
from portal.services.organizations.many import Done
from portal.services.organizations.mapping import MappingChange
from portal.services.runs import requests
from portal.services.runs.history import find_active_run
from portal.web.downloads import send_csv
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import get_user, requires, tenant_blueprint
from portal.web.input import to_id
from portal.web.organizations.answers import answer_row, list_context, read_asked, render_row
from portal.web.saved_views.look import list_context as look_context
from portal.wording import plural

organizations = tenant_blueprint("organizations", __name__, "/organizations")


@organizations.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    return page_or_region(
        "organizations/list.html",
        {"organization-rows": "organizations/_rows.html"},
        **list_context(words("show"), words("q"), page_number()) | look_context("organizations"),
        integration=find_integration(),
        run=find_active_run(SyncKind.ORGANIZATIONS),
    )


@organizations.get("/export.csv")
@requires(Permission.READ)
def export() -> ResponseReturnValue:
    """The organizations that the list shows, streamed."""
    return send_csv("organizations", ORGANIZATION_COLUMNS, export_organizations(read_asked()))


@organizations.post("/<int:organization_id>/client")
@requires(Permission.MAP)
def map_to_client(organization_id: int) -> ResponseReturnValue:
    """Map to the client picked, to a new one, or to none."""
    organization_service.get_organization(organization_id)
    try:
        name, client_id = read_choice()
        if not name and client_id is None:
            return unmap(organization_id)
        if client_id is not None:
            client = get_client(client_id)
        elif found := find_client_by_name(name):
            client = found
        elif request.form.get("create"):
            return _map(organization_id, None, name)
        else:
            raise NotFound(f"There is no client named {name}. Choose another one, or create it.")
        return _map(organization_id, client.id, client.name)
    except (InvalidInput, NotFound) as error:
        return _refuse(organization_id, error.message)


@organizations.post("/<int:organization_id>/unmap")
@requires(Permission.MAP)
def unmap(organization_id: int) -> ResponseReturnValue:
    organization_service.get_organization(organization_id)
    return answer_row(organization_id, many.unmap_many([organization_id], get_user().id))


@organizations.post("/<int:organization_id>/new-client")
@requires(Permission.MAP)
def create_client(organization_id: int) -> ResponseReturnValue:
    """One of the organization's own name."""
    organization_service.get_organization(organization_id)
    try:
        return answer_row(organization_id, many.create_many([organization_id], get_user().id))
    except InvalidInput as error:
        return _refuse(organization_id, error.message)


@organizations.post("/<int:organization_id>/ignored")
@requires(Permission.MAP)
def set_ignored(organization_id: int) -> ResponseReturnValue:
    organization_service.get_organization(organization_id)
    on = bool(request.form.get("ignored"))
    return answer_row(organization_id, many.ignore_many([organization_id], on, get_user().id))


@organizations.post("/<int:organization_id>/auto-sync")
@requires(Permission.MAP)
def set_auto_sync(organization_id: int) -> ResponseReturnValue:
    mapping = mapping_service.set_auto_sync(
        organization_id, bool(request.form.get("auto_sync")), get_user().id
    )
    state = "on" if mapping.auto_sync_assets else "off"
    return answer_row(
        organization_id, Done(f"Auto-sync of {mapping.external_organization_name} is {state}.")
    )


@organizations.post("/<int:organization_id>/suggestion")
@requires(Permission.MAP)
def accept_suggestion(organization_id: int) -> ResponseReturnValue:
    client = get_client(request.form.get("client_id", 0, type=to_id))
    return _map(organization_id, client.id, client.name)


@organizations.post("/sync")
@requires(Permission.SYNC)
def sync() -> ResponseReturnValue:
    run, _ = requests.request_run(SyncKind.ORGANIZATIONS, "button", user_id=get_user().id)
    if htmx:
        return render_template("_progress.html", run=run)
    return redirect(url_for("organizations.index"))


def read_choice() -> tuple[str, int | None]:
    """The name typed and the id picked, which wins. Both empty: no client."""
    name, picked = request.form.get("client_name", "").strip(), request.form.get("client_id", "")
    if "client_name" not in request.form and not picked:
        raise InvalidInput("Choose a client.")
    if not picked:
        return name, None
    try:
        return name, to_id(picked)
    except ValueError:
        raise NotFound("This client does not exist. Choose one from the list of clients.") from None


def _map(organization_id: int, client_id: int | None, name: str) -> ResponseReturnValue:
    if client_id is None:
        change = mapping_service.map_to_new_client(organization_id, name, get_user().id)
    else:
        change = mapping_service.map_to_client(organization_id, client_id, get_user().id)
    return answer_row(organization_id, many.offer_done(_describe_change(change), change.run_id))


def _describe_change(change: MappingChange) -> str:
    client = change.mapping.client
    assert client is not None
    moved = change.moved_assets
    also = f" {plural(moved, 'asset')} moved to it." if moved else ""
    return f"{change.mapping.external_organization_name} is now mapped to {client.name}.{also}"


def _refuse(organization_id: int, message: str) -> ResponseReturnValue:
    if not htmx:
        flash(message, "error")
        return redirect(url_for("organizations.index"))
    return render_row(organization_id, error=message), 422

"""Organizations and the clients they stand for: the mapping page."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.extensions import htmx
from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.clients import find_client_by_name, get_client
from portal.services.integrations.current import find_integration
from portal.services.organizations import listing as organization_service
from portal.services.organizations import mapping as mapping_service
from portal.services.organizations.held import list_held
from portal.services.organizations.listing import OrganizationFilter, OrganizationRow
from portal.services.organizations.mapping import MappingChange
from portal.services.runs import requests
from portal.services.runs.history import find_active_run
from portal.web.fragments import page_number, page_or_region, with_toast, words
from portal.web.guard import get_user, requires, tenant_blueprint
from portal.web.input import split_current_url, to_id
from portal.wording import plural

organizations = tenant_blueprint("organizations", __name__, "/organizations")


@organizations.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    return page_or_region(
        "organizations/list.html",
        {"organization-rows": "organizations/_rows.html"},
        **_list_context(words("show"), words("q"), page_number()),
        integration=find_integration(),
        run=find_active_run(SyncKind.ORGANIZATIONS),
    )


@organizations.get("/<int:organization_id>")
@requires(Permission.READ)
def row(organization_id: int) -> ResponseReturnValue:
    organization_service.get_organization(organization_id)
    return _row(organization_id) if htmx else redirect(url_for("organizations.index"))


@organizations.post("/<int:organization_id>/client")
@requires(Permission.MAP)
def map_to_client(organization_id: int) -> ResponseReturnValue:
    """Map to the client picked, to a new one, or to none; assets that move are shown first."""
    organization_service.get_organization(organization_id)
    try:
        name, client_id = _read_choice()
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
    mapping = mapping_service.unmap(organization_id, get_user().id)
    name = mapping.external_organization_name
    return _saved(organization_id, f"{name} is no longer mapped. Its assets stay.")


@organizations.post("/<int:organization_id>/auto-sync")
@requires(Permission.MAP)
def set_auto_sync(organization_id: int) -> ResponseReturnValue:
    mapping = mapping_service.set_auto_sync(
        organization_id, bool(request.form.get("auto_sync")), get_user().id
    )
    state = "on" if mapping.auto_sync_assets else "off"
    return _saved(organization_id, f"Auto-sync of {mapping.external_organization_name} is {state}.")


@organizations.post("/<int:organization_id>/suggestion")
@requires(Permission.MAP)
def accept_suggestion(organization_id: int) -> ResponseReturnValue:
    client = get_client(request.form.get("client_id", 0, type=to_id))
    return _map(organization_id, client.id, client.name)


@organizations.post("/exact")
@requires(Permission.MAP)
def accept_exact() -> ResponseReturnValue:
    """Map every organization that is named as a client."""
    number = len(mapping_service.map_exact(user_id=get_user().id))
    message = f"Mapped {plural(number, 'organization')}."
    if not htmx:
        flash(message, "success")
        return redirect(url_for("organizations.index"))
    context = _list_context(request.form.get("show", ""), request.form.get("q", ""), 1)
    return with_toast(render_template("organizations/_rows.html", **context), message)


@organizations.post("/sync")
@requires(Permission.SYNC)
def sync() -> ResponseReturnValue:
    run, _ = requests.request_run(SyncKind.ORGANIZATIONS, "button", user_id=get_user().id)
    if htmx:
        return render_template("_progress.html", run=run)
    return redirect(url_for("organizations.index"))


def _read_choice() -> tuple[str, int | None]:
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
    """Map, unless assets would change hands and nobody has said yes to that yet."""
    moving = mapping_service.count_assets_to_move(organization_id, client_id)
    if moving and not request.form.get("confirmed"):
        pending = {
            "client_id": client_id or "",
            "client_name": name,
            "create": client_id is None,
            "assets": moving,
        }
        if htmx:
            return _row(organization_id, pending=pending), 409
        return _ask(organization_id, pending)
    if client_id is None:
        change = mapping_service.map_to_new_client(organization_id, name, get_user().id)
    else:
        change = mapping_service.map_to_client(organization_id, client_id, get_user().id)
    return _saved(organization_id, _describe_change(change))


def _describe_change(change: MappingChange) -> str:
    client = change.mapping.client
    assert client is not None
    moved = change.moved_assets
    also = f" {plural(moved, 'asset')} moved to it." if moved else ""
    return f"{change.mapping.external_organization_name} is now mapped to {client.name}.{also}"


def _ask(organization_id: int, pending: dict[str, Any]) -> ResponseReturnValue:
    """Without scripts: the one organization on a page of its own, with the question."""
    context = _list_context("", "", 1)
    row = _get_row_context(organization_id)
    context["page"].items[:] = [row]
    return render_template(
        "organizations/list.html",
        **context,
        pending=pending,
        integration=find_integration(),
        run=None,
    )


def _saved(organization_id: int, message: str) -> ResponseReturnValue:
    if not htmx:
        flash(message, "success")
        return redirect(url_for("organizations.index"))
    return with_toast(_row(organization_id), message)


def _refuse(organization_id: int, message: str) -> ResponseReturnValue:
    if not htmx:
        flash(message, "error")
        return redirect(url_for("organizations.index"))
    return _row(organization_id, error=message), 422


def _row(organization_id: int, **context: Any) -> str:
    """The row, and beside it the counts of the list's head."""
    shown = render_template(
        "organizations/_row.html", row=_get_row_context(organization_id), **context
    )
    query = parse_qs(split_current_url().query)
    head = render_template(
        "organizations/_counts.html",
        organization_counts=_counts(),
        show=query.get("show", [""])[0],
        q=query.get("q", [""])[0],
        oob=True,
    )
    return shown + head


def _get_row_context(organization_id: int) -> dict[str, Any]:
    return _row_context(organization_service.get_organization_row(organization_id))


def _list_context(show: str, q: str, number: int) -> dict[str, Any]:
    shown = OrganizationFilter(show) if show in list(OrganizationFilter) else OrganizationFilter.ALL
    found = organization_service.list_organizations(shown, q, number)
    page = type(found)([_row_context(r) for r in found.items], found.number, found.total)  # type: ignore[misc]
    counts = _counts()
    return {
        "page": page,
        "show": str(shown),
        "q": q,
        "organization_counts": counts,
        "held": list_held() if counts["held"] else [],
    }


def _counts() -> dict[str, int]:
    counts = organization_service.count_organizations()
    named = {shown.name.lower(): number for shown, number in counts.items()}
    return {**named, "total": named["all"], "exact": mapping_service.count_exact_matches()}


def _row_context(found: OrganizationRow) -> dict[str, Any]:
    mapping = found.mapping
    return {
        "id": mapping.id,
        "external_organization_id": mapping.external_organization_id,
        "external_organization_name": mapping.external_organization_name,
        "agent_count": mapping.agent_count,
        "client": mapping.client,
        "auto_sync_assets": mapping.auto_sync_assets,
        "gone_since": mapping.gone_since,
        "held_since": mapping.held_since,
        "kept_at": mapping.kept_at,
        "assets": found.assets,
        "suggestion": found.suggestion,
    }

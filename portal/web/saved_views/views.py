"""Views of lists: saved, opened, renamed, deleted and brought back; and how lists look."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.models import SavedView
from portal.services.accounts.permissions import Permission
from portal.services.saved_views import keeping, looks
from portal.services.saved_views.listing import get_view, list_deleted, list_views
from portal.services.saved_views.lists import LISTS
from portal.web.fragments import flash_done
from portal.web.guard import is_safe_target, name_allowed, requires, tenant_blueprint
from portal.web.saved_views.look import clean_query, get_place, menu_context

saved_views = tenant_blueprint("saved_views", __name__, "/views")
saved_views.app_context_processor(menu_context)


@saved_views.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    return _page()


@saved_views.get("/<int:view_id>")
@requires(Permission.READ)
def show(view_id: int) -> ResponseReturnValue:
    """To its list."""
    return redirect(_address(get_view(get_place(), view_id)))


@saved_views.post("/")
@requires(Permission.READ)
def save() -> ResponseReturnValue:
    """One's own: every member may. For everybody: whoever may share."""
    list_name, is_shared = request.form.get("list_name", ""), bool(request.form.get("shared"))
    if is_shared:
        _check_may_share()
    looks.get_shape(list_name)
    name, query = request.form.get("name", ""), ""
    try:
        query = clean_query(request.form.get("query", ""))
        view = keeping.save_view(get_place(), list_name, name, query, is_shared=is_shared)
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
        return redirect(f"{url_for(f'{list_name}.index')}?{query}")
    flash(f"Saved {view.name}. It is in the menu, under Views.", "success")
    return redirect(_address(view))


@saved_views.post("/<int:view_id>/change")
@requires(Permission.READ)
def change(view_id: int) -> ResponseReturnValue:
    _find_changeable(view_id)
    query = clean_query(request.form.get("query", ""))
    view = keeping.change_view(get_place(), view_id, query)
    flash(f"{view.name} now shows this.", "success")
    return redirect(_address(view))


@saved_views.post("/<int:view_id>/rename")
@requires(Permission.READ)
def rename(view_id: int) -> ResponseReturnValue:
    _find_changeable(view_id)
    name = request.form.get("name", "")
    try:
        view = keeping.rename_view(get_place(), view_id, name)
    except InvalidInput as error:
        return _page({"id": view_id, "name": name, "problem": error.message}), 422
    flash(f"Renamed to {view.name}.", "success")
    return redirect(url_for("saved_views.index"))


@saved_views.post("/<int:view_id>/delete")
@requires(Permission.READ)
def delete(view_id: int) -> ResponseReturnValue:
    _find_changeable(view_id)
    view, undo = keeping.delete_view(get_place(), view_id)
    flash_done(f"Deleted {view.name}.", undo)
    return redirect(url_for("saved_views.index"))


@saved_views.post("/<int:view_id>/restore")
@requires(Permission.READ)
def restore(view_id: int) -> ResponseReturnValue:
    _find_changeable(view_id, deleted=True)
    try:
        view = keeping.restore_view(get_place(), view_id)
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
    else:
        flash(f"{view.name} is back.", "success")
    return redirect(url_for("saved_views.index"))


@saved_views.post("/<int:view_id>/start")
@requires(Permission.READ)
def start(view_id: int) -> ResponseReturnValue:
    begins = bool(request.form.get("begins"))
    view = keeping.start_with(get_place(), view_id, begins)
    label, where = LISTS[view.list_name].label, view.name if begins else "the whole list"
    flash(f"{label} in the menu now leads to {where}.", "success")
    return redirect(url_for("saved_views.index"))


@saved_views.post("/look/<list_name>")
@requires(Permission.READ)
def choose_look(list_name: str) -> ResponseReturnValue:
    """For this person alone: every member may."""
    columns, density = request.form.getlist("column"), request.form.get("density", "")
    looks.choose_look(get_place(), list_name, columns, density)
    target = request.form.get("next")
    safe = target if target and is_safe_target(target) else url_for(f"{list_name}.index")
    return redirect(safe)


def _page(typed: dict[str, Any] | None = None) -> str:
    place = get_place()
    return render_template(
        "saved_views/list.html",
        views=list_views(place),
        deleted=list_deleted(place, name_allowed().share_views),
        starts=menu_context()["view_starts"],
        shapes=LISTS,
        typed=typed,
    )


def _address(view: SavedView) -> str:
    query = f"{view.query}&" if view.query else ""
    return f"{url_for(f'{view.list_name}.index')}?{query}view={view.id}"


def _find_changeable(view_id: int, *, deleted: bool = False) -> None:
    """Raises NotFound for one that is not theirs, and Refused where it is everybody's and they may
    not share."""
    if get_view(get_place(), view_id, deleted=deleted).membership_id is None:
        _check_may_share()


def _check_may_share() -> None:
    if not name_allowed().share_views:
        raise Refused(
            "Your role does not let you save or change views for everybody. Ask an owner."
        )

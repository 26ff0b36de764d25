"""Alert rules: the list in its order, and what is done with one of them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.channels.listing import list_names
from portal.services.handling.acting import act_now
from portal.services.helpdesks.listing import list_names as list_helpdesks
from portal.services.rules import changes
from portal.services.rules.defaults import make_defaults, take_defaults
from portal.services.rules.listing import (
    count_decided,
    get_rule,
    list_rules,
    view_rule,
)
from portal.services.rules.older import list_older
from portal.services.rules.words import describe_conditions, describe_steps, name_places
from portal.web.fragments import flash_done
from portal.web.guard import requires, tenant_blueprint
from portal.web.input import to_id
from portal.web.reauthentication import fresh_sign_in_required
from portal.wording import plural

rules = tenant_blueprint("rules", __name__, "/rules")

SHOWN = 50
"""Alerts of a trial, or that began before a rule was switched on."""


@rules.get("/")
@requires(Permission.READ_RULES)
def index() -> ResponseReturnValue:
    found, channels, helpdesks = list_rules(), list_names(), list_helpdesks()
    names = name_places(found)
    rows = [
        (
            view,
            describe_conditions(view.conditions, names),
            describe_steps(view.steps, channels, helpdesks),
        )
        for view in found
    ]
    defaults = [
        (
            draft.name,
            describe_conditions(draft.conditions, names),
            describe_steps(draft.steps, channels, helpdesks),
        )
        for draft in make_defaults(list(channels))
    ]
    return render_template(
        "rules/list.html",
        rows=rows,
        decided=count_decided(),
        channels=channels,
        defaults=defaults,
        any_on=any(view.is_on for view in found),
    )


@rules.post("/defaults")
@requires(Permission.CHANGE_RULES)
def add_defaults() -> ResponseReturnValue:
    try:
        added = take_defaults()
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("rules.index"))
    number = plural(len(added), "rule")
    flash(f"Added {number}. They act on alerts that begin from now on.", "success")
    return redirect(url_for("rules.index"))


@rules.post("/<int:rule_id>/move")
@requires(Permission.CHANGE_RULES)
def move(rule_id: int) -> ResponseReturnValue:
    up = request.form.get("direction") != "down"
    rule = changes.move_rule(rule_id, up=up)
    flash(f"{rule.name} is number {rule.position} now.", "success")
    return redirect(url_for("rules.index", _anchor=f"rule-{rule_id}"))


@rules.post("/<int:rule_id>/switch")
@requires(Permission.CHANGE_RULES)
def switch(rule_id: int) -> ResponseReturnValue:
    on = request.form.get("on") == "1"
    _, undo = changes.switch_rules([rule_id], on=on)
    said = "is on. It acts on alerts that begin from now on." if on else "is off."
    flash_done(f"{get_rule(rule_id).name} {said}", undo)
    return show_switched_on(rule_id)


@rules.post("/switch")
@requires(Permission.CHANGE_RULES)
def switch_many() -> ResponseReturnValue:
    on = request.form.get("on") == "1"
    try:
        switched, undo = changes.switch_rules(request.form.getlist("rule", type=to_id), on=on)
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(url_for("rules.index"))
    if not switched:
        flash(f"They are {'on' if on else 'off'} already.", "info")
    else:
        said = "on. They act on alerts that begin from now on." if on else "off."
        flash_done(f"Switched {plural(len(switched), 'rule')} {said}", undo)
    return redirect(url_for("rules.index"))


@rules.post("/<int:rule_id>/duplicate")
@requires(Permission.CHANGE_RULES)
def duplicate(rule_id: int) -> ResponseReturnValue:
    try:
        copy = changes.duplicate_rule(rule_id)
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("rules.index"))
    flash(f"Added {copy.name}, which is off.", "success")
    return redirect(url_for("rules.edit", rule_id=copy.id))


@rules.post("/<int:rule_id>/delete")
@requires(Permission.CHANGE_RULES)
@fresh_sign_in_required
def delete(rule_id: int) -> ResponseReturnValue:
    name = changes.delete_rule(rule_id)
    flash(f"Deleted {name}.", "success")
    return redirect(url_for("rules.index"))


@rules.get("/<int:rule_id>/older")
@requires(Permission.CHANGE_RULES)
def older(rule_id: int) -> ResponseReturnValue:
    """Alerts that began before it was switched on."""
    view = view_rule(get_rule(rule_id))
    return render_template("rules/older.html", view=view, found=list_older(view), shown=SHOWN)


@rules.post("/<int:rule_id>/act")
@requires(Permission.CHANGE_RULES)
def act(rule_id: int) -> ResponseReturnValue:
    name = get_rule(rule_id).name
    try:
        act_now(rule_id)
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("rules.index"))
    flash(f"{name} looks at the alerts that began before it. It takes some seconds.", "success")
    return redirect(url_for("rules.index", _anchor=f"rule-{rule_id}"))


def show_switched_on(rule_id: int) -> ResponseReturnValue:
    """Where to go once a rule is on: to the alerts that began before, if it is about some."""
    if list_older(view_rule(get_rule(rule_id))):
        return redirect(url_for("rules.older", rule_id=rule_id))
    return redirect(url_for("rules.index", _anchor=f"rule-{rule_id}"))

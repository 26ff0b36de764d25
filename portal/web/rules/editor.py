"""The form of a rule, which is tried on the last 30 days before it is saved."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.models import AlertRule
from portal.services.accounts.limits import list_choices
from portal.services.accounts.permissions import Permission
from portal.services.assets.words import list_filter_words
from portal.services.channels.listing import list_names
from portal.services.helpdesks.listing import list_names as list_helpdesks
from portal.services.organizations.listing import list_live_organizations
from portal.services.rules import changes
from portal.services.rules.changes import Draft
from portal.services.rules.listing import get_rule, view_rule
from portal.services.rules.trial import try_conditions
from portal.services.rules.words import describe_steps
from portal.services.tickets.wording import VALUES
from portal.services.windows.drafts import list_zones
from portal.services.windows.listing import find_usual_zone
from portal.services.windows.scopes import list_sites
from portal.web.forms import SelectChoice, mark
from portal.web.guard import requires
from portal.web.rules.drafts import fill, read_draft
from portal.web.rules.forms import RuleForm
from portal.web.rules.tickets import offer_helpdesks, preview
from portal.web.rules.views import SHOWN, rules, show_switched_on

TRY, SAVE, SAVE_OFF = "try", "save", "save-off"


@rules.route("/new", methods=["GET", "POST"])
@requires(Permission.CHANGE_RULES)
def new() -> ResponseReturnValue:
    form = RuleForm(zone=find_usual_zone(), days=["0", "1", "2", "3", "4"])
    if not form.is_submitted():
        return _page(form, None)
    try:
        draft = read_draft(form)
        if _wanted() == TRY:
            return _page(form, None, draft)
        rule = changes.add_rule(draft, is_on=_wanted() == SAVE)
    except (InvalidInput, Refused) as error:
        mark(form, error)
        return _page(form, None), 422
    on = "It acts on alerts that begin from now on." if rule.switched_on_at else "It is off."
    flash(f"Added {rule.name}. {on}", "success")
    return show_switched_on(rule.id)


@rules.route("/<int:rule_id>/edit", methods=["GET", "POST"])
@requires(Permission.CHANGE_RULES)
def edit(rule_id: int) -> ResponseReturnValue:
    rule = get_rule(rule_id)
    known = {"zone": find_usual_zone(), "days": ["0", "1", "2", "3", "4"]}
    form = RuleForm(**known | fill(view_rule(rule)))
    if not form.is_submitted():
        return _page(form, rule)
    try:
        draft = read_draft(form)
        if _wanted() == TRY:
            return _page(form, rule, draft)
        rule = changes.save_rule(rule_id, draft)
    except (InvalidInput, Refused) as error:
        mark(form, error)
        return _page(form, get_rule(rule_id)), 422
    flash(f"Saved {rule.name}. What it did before stays as it was.", "success")
    return redirect(url_for("rules.index", _anchor=f"rule-{rule.id}"))


def _wanted() -> str:
    """The button that was pressed; the first press tries."""
    wanted = request.form.get("do", TRY)
    return wanted if wanted in (SAVE, SAVE_OFF) else TRY


def _page(form: RuleForm, rule: AlertRule | None, tried: Draft | None = None) -> str:
    """With the choices that there are now, and what comes of a rule that is tried."""
    trial = try_conditions(tried.conditions) if tried else None
    channels = [(str(key), name) for key, name in list_names().items()]
    offered = {
        "clients": [(str(key), name) for key, name in list_choices()],
        "organizations": [
            (each.external_organization_id, each.external_organization_name)
            for each in list_live_organizations()
        ],
        "sites": list_sites(),
        "systems": [(word, word) for word in list_filter_words().os_types],
        "notify": channels,
        "escalate_to": channels,
    }
    for name, options in offered.items():
        known = {value for value, _text in options}
        gone = [(value, f"{value} (no longer there)") for value in form[name].data or []]
        options = [*options, *(each for each in gone if each[0] not in known)]
        form[name].choices = [SelectChoice(value, text) for value, text in options]
    form.zone.choices = [SelectChoice(zone, zone) for zone in list_zones()]
    return render_template(
        "rules/form.html",
        form=form,
        rule=rule,
        trial=trial,
        shown=SHOWN,
        does=describe_steps(tried.steps, list_names(), list_helpdesks()) if tried else [],
        ticket=preview(tried, trial) if tried and trial else None,
        listed=offer_helpdesks(form),
        words=VALUES,
    )

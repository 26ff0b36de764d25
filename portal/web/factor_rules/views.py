"""Whose second factor the tenant requires, and who has one."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import RadioField

from portal.errors import InvalidInput
from portal.models.accounts.tenant import FactorRule
from portal.services.accounts.permissions import Permission
from portal.services.accounts.second_factors import requirement
from portal.web.forms import SelectChoice, mark, refuse
from portal.web.guard import get_tenant, requires, tenant_blueprint
from portal.web.reauthentication import fresh_sign_in_required

factor_rules = tenant_blueprint("factor_rules", __name__, "/second-factors")


class RuleForm(FlaskForm):  # type: ignore[misc]
    rule = RadioField(
        "Required of",
        choices=[
            SelectChoice(str(FactorRule.NOBODY), "Nobody"),
            SelectChoice(str(FactorRule.ADMINS), "Owners and admins"),
            SelectChoice(str(FactorRule.ALL), "Everybody"),
        ],
    )


@factor_rules.get("/")
@requires(Permission.MANAGE_USERS)
def show() -> ResponseReturnValue:
    return _page(RuleForm(rule=str(get_tenant().factor_rule)))


@factor_rules.post("/")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def save() -> ResponseReturnValue:
    form = RuleForm()
    try:
        requirement.set_rule(str(get_tenant().id), form.rule.data or "")
    except InvalidInput as error:
        mark(form, error)
        return refuse(_page(form), error)
    flash("Saved.", "success")
    return redirect(url_for("factor_rules.show"))


def _page(form: RuleForm) -> str:
    members = requirement.list_member_factors(get_tenant())
    return render_template("factor_rules.html", form=form, members=members)

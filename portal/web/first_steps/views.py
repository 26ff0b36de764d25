"""The first steps: the list on the dashboard, and the next one on the pages that they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.scope import allowed_clients
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.first_steps import (
    ALL,
    FirstStep,
    FirstSteps,
    find_first_steps,
    resume_steps,
    skip_step,
)
from portal.web.guard import get_tenant, is_safe_target, requires, tenant_blueprint
from portal.wording import plural

first_steps = tenant_blueprint("first_steps", __name__, "/first-steps")


@dataclass(frozen=True, slots=True)
class Words:
    """What people read of a step. `starts`: the kind of sync that its button starts; other buttons
    lead to the page of `endpoint`."""

    title: str
    why: Callable[[FirstSteps], str]
    action: str
    endpoint: str
    starts: str | None = None
    needs: Permission = Permission.CHANGE_SETTINGS


def _why_map(steps: FirstSteps) -> str:
    number, mapped = steps.facts["organizations"], steps.facts["mapped"]
    if not number:
        return "Tactical's clients come as organizations. Each belongs to a client of yours."
    if mapped:
        return (
            f"{mapped:,} of {number:,} mapped. Map or ignore the others, or leave them for later."
        )
    has = "has" if number == 1 else "have"
    return f"{plural(number, 'organization')} came from Tactical and {has} no client of yours yet."


def _why_sync(steps: FirstSteps) -> str:
    number = steps.facts["agents"]
    found = f"{plural(number, 'device')} in Tactical. " if number else ""
    return f"{found}A preview shows which assets they become, before anything is changed."


def _why_webhook(steps: FirstSteps) -> str:
    number = steps.facts["alerts"]
    stand = "stands" if number == 1 else "stand"
    found = f"{plural(number, 'alert')} {stand} on Tactical's dashboard. " if number else ""
    return f"{found}With the webhook, new ones arrive here within a second."


WORDS: dict[FirstStep, Words] = {
    FirstStep.CONNECT: Words(
        "Connect Tactical RMM",
        lambda _steps: "The portal tests the connection and imports Tactical's clients.",
        "Connect Tactical RMM",
        "tacticalrmm.show",
    ),
    FirstStep.MAP: Words("Map organizations", _why_map, "Map organizations", "organizations.index"),
    FirstStep.SYNC: Words(
        "Import devices", _why_sync, "Preview devices", "sync_runs.index", starts="preview"
    ),
    FirstStep.WEBHOOK: Words("Receive alerts", _why_webhook, "Set up the webhook", "webhook.show"),
    FirstStep.CHANNEL: Words(
        "Add a channel",
        lambda _steps: "A mailbox, a chat or a phone that is told of alerts.",
        "Add a channel",
        "channels.choose",
    ),
    FirstStep.RULES: Words(
        "Switch on rules",
        lambda _steps: "They say who is told of which alerts. Five to begin with are one click.",
        "Choose rules",
        "rules.index",
    ),
    FirstStep.PEOPLE: Words(
        "Invite a second person",
        lambda _steps: "So that somebody else can get in when you cannot.",
        "Invite",
        "users.index",
        needs=Permission.MANAGE_USERS,
    ),
    FirstStep.FACTOR: Words(
        "Set up a second factor",
        lambda _steps: "With one, a stolen password alone opens nothing. It takes a minute.",
        "Set it up",
        "second_factors.show",
        needs=Permission.MANAGE_USERS,
    ),
}


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        find_first_steps=find_shown_steps,
        list_first_steps=list_shown_words,
        are_steps_skipped=are_steps_skipped,
    )


def list_shown_words() -> dict[FirstStep, Words]:
    """Of the steps that the reader can take."""
    role = g.membership.role
    return {step: words for step, words in WORDS.items() if role_allows(role, words.needs)}


def find_shown_steps() -> FirstSteps | None:
    """For whoever sets the tenant up: the others cannot take the steps. Read once in a request."""
    if "scope" not in g or allowed_clients() is not None:
        return None
    if not role_allows(g.membership.role, Permission.CHANGE_SETTINGS):
        return None
    if "first_steps" not in g:
        among = frozenset(list_shown_words())
        g.first_steps = find_first_steps(get_tenant(), g.membership, among)
    steps: FirstSteps | None = g.first_steps
    return steps


def are_steps_skipped() -> bool:
    """By the tenant, or by the reader for themselves."""
    return bool(get_tenant().steps_skipped or g.membership.steps_skipped)


@first_steps.post("/skip")
@requires(Permission.CHANGE_SETTINGS)
def skip() -> ResponseReturnValue:
    step = request.form.get("step", "")
    skip_step(get_tenant(), g.membership, step)
    if step == ALL:
        flash("The first steps are hidden. “Integrations” brings them back.", "success")
    return _back()


@first_steps.post("/resume")
@requires(Permission.CHANGE_SETTINGS)
def resume() -> ResponseReturnValue:
    resume_steps(get_tenant(), g.membership)
    return _back()


def _back() -> ResponseReturnValue:
    where = request.form.get("next")
    return redirect(where if where and is_safe_target(where) else url_for("dashboard.show"))

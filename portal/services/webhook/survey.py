"""What an installation of the webhook meets at Tactical: what is there, and what it may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec

from portal.errors import InvalidInput
from portal.models.webhook.installation import InstallationAction
from portal.services.webhook.plan import PlannedChange, Verb, plan_installation, plan_removal
from portal.services.webhook.present import Listing, Present, resolve_present
from portal.services.webhook.records import PATHS, ApplyTo, Made, Piece, Wanted, WebhookTexts
from portal.tactical.errors import MissingPermission
from portal.tactical.installation import (
    ACTIONS,
    KEYS,
    ORGANIZATIONS,
    TEMPLATES,
    GlobalKey,
    TacticalInstallation,
)

WRITES = (Verb.CREATE, Verb.UPDATE, Verb.CHOOSE, Verb.RESTORE, Verb.REMOVE)
SHOWN_FIELDS = ("verb", "piece", "title", "detail", "warning")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done. With anything `lacking` nothing is begun."""

    changes: list[PlannedChange] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Flags of Tactical's role."""
    key_store_flag: str | None = None
    """What is missing for the key store, where the secret must stand in the headers instead."""

    @property
    def writes(self) -> list[PlannedChange]:
        return [change for change in self.changes if change.verb in WRITES]

    def to_row(self) -> dict[str, Any]:
        """What a person is shown of it: the values, in which the secret stands, stay out."""
        shown = [{name: getattr(change, name) for name in SHOWN_FIELDS} for change in self.changes]
        return {"changes": shown, "lacking": self.lacking, "key_store_flag": self.key_store_flag}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Plan:
        return msgspec.convert(row, cls)


def survey(
    tactical: TacticalInstallation,
    action: InstallationAction,
    wanted: Wanted,
    texts: WebhookTexts,
    made: Made,
) -> Plan:
    """Look, plan, and ask Tactical whether it would let the plan be done. Changes nothing."""
    listing = _list_records(tactical, wanted, made)
    key_store_flag = listing.key_store_flag
    if listing.lacking:
        needed = [ACTIONS, TEMPLATES]
        needed += [ORGANIZATIONS] if _needs_organizations(wanted, made) else []
        lacking = [*listing.lacking, *tactical.list_lacking(needed)]
        return Plan(lacking=list(dict.fromkeys(lacking)), key_store_flag=key_store_flag)
    present = resolve_present(listing, made)
    if action is InstallationAction.INSTALL:
        _check_organizations(wanted, present)
    changes = _plan(action, present, wanted, texts)
    needs_key_store = any(change.piece is Piece.KEY for change in changes)
    if needs_key_store and (flags := tactical.list_lacking([KEYS])):
        key_store_flag = flags[0]
        changes = _plan(action, present.without_key_store(), wanted, texts)
    plan = Plan(changes, key_store_flag=key_store_flag)
    paths = {PATHS[change.piece] for change in plan.writes} - {KEYS}
    return replace(plan, lacking=tactical.list_lacking(sorted(paths)))


def _check_organizations(wanted: Wanted, present: Present) -> None:
    if wanted.apply_to is not ApplyTo.ORGANIZATIONS:
        return
    if not wanted.organizations:
        raise InvalidInput("Choose at least one organization.", field="clients")
    listed = {place.organization for place in present.places if place.is_listed}
    unknown = sorted(set(wanted.organizations) - listed)
    if unknown:
        raise InvalidInput(
            f"Tactical has no organization with the ID {unknown[0]}. Choose others.",
            field="clients",
        )


def _plan(
    action: InstallationAction, present: Present, wanted: Wanted, texts: WebhookTexts
) -> list[PlannedChange]:
    if action is InstallationAction.REMOVE:
        return plan_removal(present)
    return plan_installation(present, wanted, texts)


def _list_records(tactical: TacticalInstallation, wanted: Wanted, made: Made) -> Listing:
    lacking: list[str] = []

    def read(fetch: Callable[[], list[Value]]) -> list[Value]:
        try:
            return fetch()
        except MissingPermission as error:
            lacking.append(error.permission or error.message)
            return []

    actions, templates = read(tactical.list_actions), read(tactical.list_templates)
    needs_organizations = _needs_organizations(wanted, made)
    organizations = read(tactical.list_organizations) if needs_organizations else []
    keys: list[GlobalKey] | None = None
    key_store_flag = None
    if wanted.use_key_store or Piece.KEY in made.records:
        try:
            keys = tactical.list_keys()
        except MissingPermission as error:
            key_store_flag = error.permission
    return Listing(keys, actions, templates, organizations, lacking, key_store_flag)


def _needs_organizations(wanted: Wanted, made: Made) -> bool:
    return wanted.apply_to is ApplyTo.ORGANIZATIONS or bool(made.organizations)

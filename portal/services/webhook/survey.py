"""What an installation of the webhook meets at Tactical: what is there, and what it may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from portal.errors import InvalidInput
from portal.models.webhook.installation import Deed
from portal.services.webhook.plan import Change, Verb, plan_installation, plan_removal
from portal.services.webhook.records import DEFAULT, KEY, PATHS, ApplyTo, Found, Made, Texts, Wanted
from portal.tactical.errors import MissingPermission
from portal.tactical.installation import ACTIONS, CLIENTS, TEMPLATES, TacticalInstallation

Value = TypeVar("Value")

WRITES = (Verb.CREATE, Verb.UPDATE, Verb.CHOOSE, Verb.RESTORE, Verb.REMOVE)
SHOWN = ("verb", "piece", "title", "detail", "warning")


@dataclass(slots=True)
class Plan:
    """What would be done. With anything `lacking` nothing is begun."""

    changes: list[Change] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Flags of Tactical's role."""
    key_store_flag: str | None = None
    """What is missing for the key store, where the secret must stand in the headers instead."""

    @property
    def writes(self) -> list[Change]:
        return [change for change in self.changes if change.verb in WRITES]

    def to_row(self) -> dict[str, Any]:
        """What a person is shown of it: the values, in which the secret stands, stay out."""
        shown = [{name: getattr(change, name) for name in SHOWN} for change in self.changes]
        return {"changes": shown, "lacking": self.lacking, "key_store_flag": self.key_store_flag}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Plan:
        changes = [Change(**change | {"verb": Verb(change["verb"])}) for change in row["changes"]]
        return cls(changes, row["lacking"], row["key_store_flag"])


def survey(
    tactical: TacticalInstallation, deed: Deed, wanted: Wanted, texts: Texts, made: Made
) -> Plan:
    """Look, plan, and ask Tactical whether it would let the plan be done. Changes nothing."""
    plan = Plan()
    found = _look(tactical, wanted, made, plan)
    if plan.lacking:
        needed = [ACTIONS, TEMPLATES, *([CLIENTS] if _needs_clients(wanted, made) else [])]
        plan.lacking += tactical.list_lacking(needed)
        plan.lacking = list(dict.fromkeys(plan.lacking))
        return plan
    if deed is Deed.INSTALL:
        _check_clients(wanted, found)
    _decide(plan, deed, wanted, texts, found, made)
    if _writes_key(plan) and (lacking := tactical.list_lacking([PATHS[KEY]])):
        plan.key_store_flag = lacking[0]
        _decide(plan, deed, wanted, texts, replace(found, keys=None), made)
    paths = {ACTIONS if change.piece == DEFAULT else PATHS[change.piece] for change in plan.writes}
    plan.lacking = tactical.list_lacking(sorted(paths - {PATHS[KEY]}))
    return plan


def _check_clients(wanted: Wanted, found: Found) -> None:
    if wanted.apply_to is not ApplyTo.CLIENTS:
        return
    if not wanted.clients:
        raise InvalidInput("Choose at least one organization.", field="clients")
    unknown = sorted(set(wanted.clients) - {place.pk for place in found.clients})
    if unknown:
        raise InvalidInput(f"Tactical lists no client {unknown[0]}.", field="clients")


def _decide(plan: Plan, deed: Deed, wanted: Wanted, texts: Texts, found: Found, made: Made) -> None:
    if deed is Deed.REMOVE:
        plan.changes = plan_removal(found, made)
    else:
        plan.changes = plan_installation(wanted, texts, found, made)


def _writes_key(plan: Plan) -> bool:
    return any(change.piece == KEY for change in plan.writes)


def _look(tactical: TacticalInstallation, wanted: Wanted, made: Made, plan: Plan) -> Found:
    def read(fetch: Callable[[], list[Value]]) -> list[Value]:
        try:
            return fetch()
        except MissingPermission as error:
            plan.lacking.append(error.permission or error.message)
            return []

    found = Found(
        actions=read(tactical.list_actions),
        templates=read(tactical.list_templates),
        clients=read(tactical.list_clients) if _needs_clients(wanted, made) else [],
    )
    if not wanted.use_key_store and KEY not in made.pieces:
        return found
    try:
        return replace(found, keys=tactical.list_keys())
    except MissingPermission as error:
        plan.key_store_flag = error.permission
        return found


def _needs_clients(wanted: Wanted, made: Made) -> bool:
    return wanted.apply_to is ApplyTo.CLIENTS or bool(made.clients)

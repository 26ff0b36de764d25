"""What an installation of the webhook would change in Tactical: decided here, done elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from portal.services.webhook.present import Present, TemplatePlace
from portal.services.webhook.records import ApplyTo, Chosen, Piece, Wanted, WebhookTexts
from portal.tactical.installation import LONGEST_KEY_NAME
from portal.tactical.webhook import headers_text
from portal.wording import join_words

FIELD_NAMES = {
    "value": "the secret",
    "pattern": "the address",
    "rest_body": "the body",
    "rest_headers": "the headers",
    "desc": "the description",
}
MOST_NAMESAKES = 100


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    CHOOSE = "choose"
    RESTORE = "restore"
    REMOVE = "remove"
    LEAVE = "leave"
    """No longer the portal's: it stays as it is, and is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """One line of the preview, and all that is needed to do it."""

    verb: Verb
    piece: Piece
    title: str
    detail: str = ""
    warning: str = ""
    name: str = ""
    pk: int | None = None
    """Of the record, where it is one that is there."""
    organization: int | None = None
    template: int | None = None
    """Where a template is chosen: the one chosen now. Where a choice is restored: that one."""
    values: dict[str, Any] = field(default_factory=dict, repr=False)


def plan_installation(present: Present, wanted: Wanted, texts: WebhookTexts) -> list[PlannedChange]:
    """In the order to do it: nothing refers to what is not there yet, or no longer."""
    changes: list[PlannedChange] = []
    headers = headers_text(texts.secret)
    if wanted.use_key_store and present.has_key_store:
        key = _plan_record(Piece.KEY, {"value": texts.secret}, present, texts.slug)
        headers = headers_text(placeholder(key.name))
        changes.append(key)
    for piece, body in ((Piece.FAILURE, texts.failure), (Piece.RESOLVED, texts.resolved)):
        values = _action_values(piece, wanted.url, body, headers)
        changes.append(_plan_record(piece, values, present, texts.slug))
    values = _template_values(present.find_pk(Piece.FAILURE), present.find_pk(Piece.RESOLVED))
    changes.append(_plan_record(Piece.TEMPLATE, values, present, texts.slug))
    changes += [_plan_choice(each, present) for each in present.places if _is_wanted(each, wanted)]
    changes += _plan_restores(present, wanted)
    if not wanted.use_key_store:
        changes += _plan_removals((Piece.KEY,), present)
    return changes


def plan_removal(present: Present) -> list[PlannedChange]:
    """Everything back as it was, but for what somebody else changed since."""
    pieces = (Piece.TEMPLATE, Piece.FAILURE, Piece.RESOLVED, Piece.KEY)
    return _plan_restores(present, Wanted(url="")) + _plan_removals(pieces, present)


def placeholder(key: str) -> str:
    """How a text refers to a value of the key store."""
    return f"{{{{global.{key}}}}}"


# --- Records ----------------------------------------------------------------------------


def _plan_record(
    piece: Piece, values: dict[str, Any], present: Present, slug: str
) -> PlannedChange:
    record = present.records.get(piece)
    if record is None:
        name = _choose_name(piece, slug, present.taken_names[piece])
        return PlannedChange(
            verb=Verb.CREATE,
            piece=piece,
            title=_title(piece, name),
            name=name,
            values={"name": name, **values},
        )
    differing = [key for key, value in values.items() if getattr(record, key, value) != value]
    words = list(dict.fromkeys(FIELD_NAMES.get(key, "its settings") for key in differing))
    return PlannedChange(
        verb=Verb.UPDATE if differing else Verb.KEEP,
        piece=piece,
        title=_title(piece, record.name),
        detail=f"Changes {join_words(words)}." if words else "",
        name=record.name,
        pk=record.pk,
        values={"name": record.name, **values},
    )


def _choose_name(piece: Piece, slug: str, taken: Collection[str]) -> str:
    """A name that nobody has."""
    base = {
        Piece.KEY: "portal_webhook_secret",
        Piece.FAILURE: f"Portal {slug}: alert failed",
        Piece.RESOLVED: f"Portal {slug}: alert resolved",
        Piece.TEMPLATE: f"Portal {slug}: webhook",
    }[piece]
    space = "_" if piece is Piece.KEY else " "
    names = (base, *(f"{base}{space}{number}" for number in range(2, MOST_NAMESAKES)))
    name = next(name for name in names if name not in taken)
    assert piece is not Piece.KEY or len(name) <= LONGEST_KEY_NAME
    return name


def _title(piece: Piece, name: str) -> str:
    kinds = {Piece.KEY: "Key store value", Piece.TEMPLATE: "Alert template"}
    return f"{kinds.get(piece, 'URL action')} “{name}”"


def _action_values(piece: Piece, url: str, body: str, headers: str) -> dict[str, Any]:
    event = "begins" if piece is Piece.FAILURE else "ends"
    return {
        "desc": f"Tells the portal when an alert {event}.",
        "pattern": url,
        "action_type": "rest",
        "rest_method": "post",
        "rest_body": body,
        "rest_headers": headers,
    }


def _template_values(failure: int | None, resolved: int | None) -> dict[str, Any]:
    return {
        "is_active": True,
        "action_type": "rest",
        "action_rest": failure,
        "resolved_action_type": "rest",
        "resolved_action_rest": resolved,
        "agent_script_actions": True,
        "check_script_actions": True,
        "task_script_actions": True,
    }


def _plan_removals(pieces: Iterable[Piece], present: Present) -> list[PlannedChange]:
    """What is gone already is only forgotten."""
    return [_plan_removal(piece, present) for piece in pieces if piece in present.made]


def _plan_removal(piece: Piece, present: Present) -> PlannedChange:
    name = present.made[piece].name
    title = _title(piece, name)
    if piece is Piece.KEY and not present.has_key_store:
        detail = "The key store cannot be read, so the value stays there."
        return PlannedChange(verb=Verb.KEEP, piece=piece, title=title, detail=detail)
    pk = present.find_pk(piece)
    detail = "" if pk is not None else "It has already been deleted."
    return PlannedChange(
        verb=Verb.REMOVE, piece=piece, title=title, detail=detail, pk=pk, name=name
    )


# --- Where the template works -----------------------------------------------------------


def _is_wanted(place: TemplatePlace, wanted: Wanted) -> bool:
    if place.organization is None:
        return wanted.apply_to is ApplyTo.DEFAULT
    chosen = wanted.organizations if wanted.apply_to is ApplyTo.ORGANIZATIONS else ()
    return place.organization in chosen


def _plan_choice(place: TemplatePlace, present: Present) -> PlannedChange:
    piece, title = _piece_of(place), _place_title(place, place.name)
    if place.template is not None and present.is_ours(place):
        return PlannedChange(
            verb=Verb.KEEP, piece=piece, title=title, organization=place.organization
        )
    other = present.template_names.get(place.template or 0)
    return PlannedChange(
        verb=Verb.CHOOSE,
        piece=piece,
        title=title,
        organization=place.organization,
        name=place.name,
        template=place.template,
        warning=f"It replaces “{other}”, whose emails and actions stop there." if other else "",
    )


def _plan_restores(present: Present, wanted: Wanted) -> list[PlannedChange]:
    """What was chosen and is no longer wanted."""
    return [
        _plan_restore(place, place.chosen, present)
        for place in present.places
        if place.chosen is not None and not _is_wanted(place, wanted)
    ]


def _plan_restore(place: TemplatePlace, chosen: Chosen, present: Present) -> PlannedChange:
    """Where somebody chose another template since, it stays."""
    is_ours, before = present.is_ours(place), present.template_names.get(chosen.before or 0)
    if is_ours:
        detail = f"“{before}” again, as before." if before else "No template of its own, as before."
    elif place.is_listed:
        detail = "Somebody has chosen another template since then. It stays."
    else:
        detail = "Tactical no longer lists this organization."
    return PlannedChange(
        verb=Verb.RESTORE if is_ours else Verb.LEAVE,
        piece=_piece_of(place),
        title=_place_title(place, chosen.name),
        organization=place.organization,
        template=chosen.before if is_ours and before else None,
        detail=detail,
    )


def _piece_of(place: TemplatePlace) -> Piece:
    return Piece.DEFAULT if place.organization is None else Piece.ORGANIZATION


def _place_title(place: TemplatePlace, name: str) -> str:
    return place.name if place.organization is None else f"Organization “{name}”"

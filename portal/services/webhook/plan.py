"""What an installation of the webhook would change in Tactical: decided here, done elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from portal.services.webhook.records import (
    CLIENT,
    DEFAULT,
    FAILURE,
    KEY,
    RESOLVED,
    TEMPLATE,
    ApplyTo,
    Chosen,
    Found,
    Made,
    Texts,
    Wanted,
    choose_name,
    find_present,
)
from portal.tactical.webhook import headers_text

WORDS = {
    "value": "the secret",
    "pattern": "the address",
    "rest_body": "the body",
    "rest_headers": "the headers",
    "desc": "the description",
}


SERVER_DEFAULT = "Server default"


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    CHOOSE = "choose"
    RESTORE = "restore"
    REMOVE = "remove"
    LEAVE = "leave"
    """Not the portal's any more: it stays as it is, and is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the preview, and all that is needed to do it."""

    verb: Verb
    piece: str
    title: str
    detail: str = ""
    warning: str = ""
    name: str = ""
    pk: int | None = None
    client: int | None = None
    values: dict[str, Any] = field(default_factory=dict, repr=False)


def plan_installation(wanted: Wanted, texts: Texts, found: Found, made: Made) -> list[Change]:
    """In the order to do it: nothing refers to what is not there yet, or no more."""
    changes: list[Change] = []
    headers = headers_text(texts.secret)
    if wanted.use_key_store and found.keys is not None:
        key = _plan_piece(KEY, {"value": texts.secret}, found, made, texts.slug)
        headers = headers_text(placeholder(key.name))
        changes.append(key)
    for piece, body in ((FAILURE, texts.failure), (RESOLVED, texts.resolved)):
        values = _action_values(piece, wanted.url, body, headers)
        changes.append(_plan_piece(piece, values, found, made, texts.slug))
    values = _template_values(*(find_present(piece, found, made) for piece in (FAILURE, RESOLVED)))
    changes.append(_plan_piece(TEMPLATE, values, found, made, texts.slug))
    changes += _plan_choices(wanted, found, made)
    if not wanted.use_key_store:
        changes += _plan_removals((KEY,), found, made)
    return changes


def plan_removal(found: Found, made: Made) -> list[Change]:
    """Everything back as it was, but for what somebody else changed since."""
    changes = list(_restores(Wanted(url=""), found, made))
    return changes + _plan_removals((TEMPLATE, FAILURE, RESOLVED, KEY), found, made)


def placeholder(key: str) -> str:
    """How a text refers to a value of the key store."""
    return f"{{{{global.{key}}}}}"


def _plan_piece(piece: str, values: dict[str, Any], found: Found, made: Made, slug: str) -> Change:
    pk = find_present(piece, found, made)
    records = found.list_records(piece)
    if pk is None:
        name = choose_name(piece, slug, {each.name for each in records})
        return Change(
            verb=Verb.CREATE,
            piece=piece,
            title=_title(piece, name),
            name=name,
            values={"name": name, **values},
        )
    record = next(each for each in records if each.pk == pk)
    differing = [key for key, value in values.items() if getattr(record, key, value) != value]
    told = list(dict.fromkeys(WORDS.get(key, "its settings") for key in differing))
    return Change(
        verb=Verb.UPDATE if differing else Verb.KEEP,
        piece=piece,
        title=_title(piece, record.name),
        detail=f"Changes {' and '.join(told)}." if told else "",
        name=record.name,
        pk=pk,
        values={"name": record.name, **values},
    )


def _title(piece: str, name: str) -> str:
    kind = {KEY: "Key store value", TEMPLATE: "Alert template"}.get(piece, "URL action")
    return f"{kind} “{name}”"


def _action_values(piece: str, url: str, body: str, headers: str) -> dict[str, Any]:
    event = "begins" if piece == FAILURE else "ends"
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


# --- Where it works ---------------------------------------------------------------------


def _plan_choices(wanted: Wanted, found: Found, made: Made) -> list[Change]:
    changes = []
    ours = find_present(TEMPLATE, found, made)
    if wanted.apply_to is ApplyTo.DEFAULT:
        now = found.default.pk if found.default else None
        changes.append(_choice(DEFAULT, SERVER_DEFAULT, None, now, ours, found))
    if wanted.apply_to is ApplyTo.CLIENTS:
        for place in found.clients:
            if place.pk in wanted.clients:
                now = place.alert_template
                changes.append(_choice(CLIENT, place.name, place.pk, now, ours, found))
    return changes + list(_restores(wanted, found, made))


def _choice(
    piece: str, name: str, client: int | None, now: int | None, ours: int | None, found: Found
) -> Change:
    title = _place(name, client)
    if ours is not None and now == ours:
        return Change(verb=Verb.KEEP, piece=piece, title=title, client=client)
    other = found.name_template(now)
    return Change(
        verb=Verb.CHOOSE,
        piece=piece,
        title=title,
        client=client,
        name=name,
        pk=now,
        warning=f"It replaces “{other}”, whose emails and actions stop there." if other else "",
    )


def _place(name: str, client: int | None) -> str:
    return name if client is None else f"Organization “{name}”"


def _restores(wanted: Wanted, found: Found, made: Made) -> Iterator[Change]:
    """What was chosen and is wanted no more; where somebody chose another since, it stays."""
    ours = find_present(TEMPLATE, found, made)
    if made.default is not None and wanted.apply_to is not ApplyTo.DEFAULT:
        now = found.default.pk if found.default else None
        yield _restore(DEFAULT, SERVER_DEFAULT, None, made.default, now == ours, found)
    places = {place.pk: place for place in found.clients}
    for pk, chosen in made.clients.items():
        if wanted.apply_to is ApplyTo.CLIENTS and pk in wanted.clients:
            continue
        place = places.get(pk)
        is_ours = place is not None and place.alert_template == ours
        title = _place(chosen.name, pk)
        yield _restore(CLIENT, title, pk, chosen, is_ours, found)


def _restore(
    piece: str, title: str, client: int | None, chosen: Chosen, is_ours: bool, found: Found
) -> Change:
    name = found.name_template(chosen.before)
    if not is_ours:
        detail = "Somebody chose another template since; it stays."
        return Change(verb=Verb.LEAVE, piece=piece, title=title, client=client, detail=detail)
    return Change(
        verb=Verb.RESTORE,
        piece=piece,
        title=title,
        client=client,
        pk=chosen.before if name else None,
        detail=f"Back to “{name}”." if name else "Back to no template of its own.",
    )


def _plan_removals(pieces: Iterable[str], found: Found, made: Made) -> list[Change]:
    """What is gone already is only forgotten."""
    changes = []
    for piece in pieces:
        if piece not in made.pieces:
            continue
        pk, name = find_present(piece, found, made), made.pieces[piece].name
        if piece == KEY and found.keys is None:
            title, detail = _title(piece, name), "The key store cannot be read: it stays."
            changes.append(Change(verb=Verb.KEEP, piece=piece, title=title, detail=detail))
            continue
        changes.append(
            Change(
                verb=Verb.REMOVE,
                piece=piece,
                title=_title(piece, name),
                detail="" if pk is not None else "It is gone already.",
                pk=pk,
                name=name,
            )
        )
    return changes

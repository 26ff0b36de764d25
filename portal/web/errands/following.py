"""The errands that a browser waits for: shown on every page until their outcome was seen."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, session

from portal.models import Errand
from portal.scope import allowed_clients, beyond_clients
from portal.services.errands.requests import MOST_UNFINISHED, get_errand, list_errands
from portal.services.errands.stopping import can_stop
from portal.web.guard import get_user

FOLLOWED = "errands"
"""Their ids, in the signed cookie; like a flashed message each goes once it was shown."""


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        take_followed_errands=take_followed_errands, can_stop=can_stop, name_stopper=name_stopper
    )


def follow(errand: Errand) -> None:
    ids = [each for each in _list_ids() if each != errand.id]
    session[FOLLOWED] = [*ids, errand.id][-MOST_UNFINISHED:]


def unfollow(errand: Errand) -> None:
    session[FOLLOWED] = [each for each in _list_ids() if each != errand.id]


def take_followed_errands() -> list[Errand]:
    """Of the tenant that is shown; those with an outcome for the last time."""
    if not _list_ids() or "scope" not in g:
        return []
    with beyond_clients():  # the cookie is signed: these are the person's own
        found = list_errands(_list_ids())
    session[FOLLOWED] = [errand.id for errand in found if errand.ok is None]
    return found


def get_shown_errand(errand_id: int) -> Errand:
    """Who is limited to some clients sees what they asked for themselves. Raises NotFound."""
    if allowed_clients() is None:
        return get_errand(errand_id)
    with beyond_clients():
        return get_errand(errand_id if errand_id in _list_ids() else 0)


def name_stopper(errand: Errand) -> str:
    """Whoever is limited to some clients learns of no colleague."""
    by, own = errand.stopped_by or "", get_user().email
    return by if by == own or allowed_clients() is None else "a colleague"


def _list_ids() -> list[Any]:
    ids: list[Any] = session.get(FOLLOWED, [])
    return ids

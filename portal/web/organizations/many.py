"""What is done on the mapping page to many organizations at once."""

from __future__ import annotations

from collections.abc import Collection

from flask import request
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.services.accounts.permissions import Permission
from portal.services.clients import add_client, find_client_by_name
from portal.services.organizations import many
from portal.services.organizations import mapping as mapping_service
from portal.services.organizations.choosing import list_matching
from portal.services.organizations.many import Done
from portal.web.guard import get_user, requires
from portal.web.input import to_id, wants_all_matching
from portal.web.organizations.answers import answer_list, read_shown
from portal.web.organizations.views import organizations, read_choice
from portal.wording import plural


@organizations.post("/many")
@requires(Permission.MAP)
def act_on_many() -> ResponseReturnValue:
    """On those that are ticked, each of which was shown with the client that is suggested for it;
    or on all that match, of which nobody saw each."""
    action, user_id = request.form.get("action", ""), get_user().id
    try:
        chosen = _read_chosen()
        match action:
            case "accept" if wants_all_matching():
                done = many.accept_sure(chosen, user_id)
            case "accept":
                shown = {
                    each: request.form.get(f"suggested-{each}", 0, type=to_id) for each in chosen
                }
                done = many.accept_many(
                    {each: client for each, client in shown.items() if client}, user_id
                )
            case "assign":
                done = many.assign_many(chosen, _read_client(), user_id)
            case "create":
                done = many.create_many(chosen, user_id)
            case "ignore" | "ask":
                done = many.ignore_many(chosen, action == "ignore", user_id)
            case "auto-sync-on" | "auto-sync-off":
                done = many.set_auto_sync_many(chosen, action == "auto-sync-on", user_id)
            case "unmap":
                done = many.unmap_many(chosen, user_id)
            case _:
                raise InvalidInput("Choose what to do with the organizations.")
    except (InvalidInput, NotFound) as error:
        return answer_list(Done(error.message), "error")
    return answer_list(done)


@organizations.post("/exact")
@requires(Permission.MAP)
def accept_exact() -> ResponseReturnValue:
    """Map every organization whose suggestion is sure, whether the page shows it or not."""
    changes = mapping_service.map_suggested(get_user().id)
    run_id = changes[0].run_id if changes else None
    return answer_list(many.offer_done(f"Mapped {plural(len(changes), 'organization')}.", run_id))


def _read_chosen() -> Collection[int]:
    """The ids, each once."""
    if wants_all_matching():
        return list_matching(read_shown())
    return dict.fromkeys(request.form.getlist("organization", type=to_id))


def _read_client() -> int:
    """The client that was picked, or is named."""
    name, client_id = read_choice()
    if client_id is not None:
        return client_id
    found = find_client_by_name(name) if name else None
    if found is None and name and request.form.get("create"):
        return add_client(name).id
    if found is None:
        raise NotFound(f"There is no client named {name}." if name else "Choose a client.")
    return found.id

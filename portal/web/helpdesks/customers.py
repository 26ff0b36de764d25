"""Which client is which customer of a helpdesk: looked at, and saved for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.helpdesks.kind import Choice
from portal.services.accounts.permissions import Permission
from portal.services.helpdesks.choosing import read_choices
from portal.services.helpdesks.customers import map_customers
from portal.services.helpdesks.listing import get_helpdesk
from portal.services.helpdesks.mapping import view_mapping
from portal.services.helpdesks.probing import Lists
from portal.web.fragments import flash_done, page_number, words
from portal.web.guard import requires
from portal.web.helpdesks.views import helpdesks
from portal.web.input import to_id
from portal.wording import plural

CUSTOMER, WAS = "customer-", "was-"
"""Before the client's id: what is typed, and what stood there when the page was made."""
UNMAPPED = "unmapped"


@helpdesks.get("/<int:helpdesk_id>/customers")
@requires(Permission.READ_RULES)
def customers(helpdesk_id: int) -> ResponseReturnValue:
    return _page(helpdesk_id, {})


@helpdesks.post("/<int:helpdesk_id>/customers")
@requires(Permission.MAP)
def map_clients(helpdesk_id: int) -> ResponseReturnValue:
    """Those whose field says something else than it did: others may have changed the rest."""
    typed = _read_typed()
    choices = read_choices(helpdesk_id, Lists.CUSTOMERS)
    wanted: dict[int, Choice | None] = {
        client_id: choices.find(text) if text else None
        for client_id, text in typed.items()
        if text != request.form.get(f"{WAS}{client_id}", "").strip()
    }
    try:
        undo = map_customers(helpdesk_id, wanted)
    except InvalidInput as error:
        flash(error.message, "error")
        return _page(helpdesk_id, typed), 422
    flash_done(
        f"Saved {plural(len(wanted), 'client')}." if wanted else "Nothing was changed.", undo
    )
    where: dict[str, Any] = {
        "show": UNMAPPED if _is_narrowed() else None,
        "page": request.args.get("page"),
    }
    return redirect(url_for("helpdesks.customers", helpdesk_id=helpdesk_id, **where))


def _read_typed() -> dict[int, str]:
    """By the id of the client. Raises InvalidInput."""
    fields = [name for name in request.form if name.startswith(CUSTOMER)]
    try:
        ids = {to_id(name.removeprefix(CUSTOMER)): name for name in fields}
    except ValueError:
        raise InvalidInput("One of the clients is no longer there.") from None
    return {client_id: request.form[name].strip() for client_id, name in ids.items()}


def _page(helpdesk_id: int, typed: Mapping[int, str]) -> str:
    """`typed`: of a page that comes back."""
    helpdesk = get_helpdesk(helpdesk_id)
    narrowed = _is_narrowed()
    mapping = view_mapping(helpdesk_id, unmapped_only=narrowed, number=page_number())
    return render_template(
        "helpdesks/customers.html",
        helpdesk=helpdesk,
        mapping=mapping,
        typed=typed,
        show=UNMAPPED if narrowed else "",
    )


def _is_narrowed() -> bool:
    return words("show") == UNMAPPED

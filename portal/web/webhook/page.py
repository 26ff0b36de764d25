"""What the page of the webhook's settings shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from portal.clock import utc_now
from portal.models import Errand, Integration, WebhookInstallation
from portal.models.webhook.installation import InstallationAction
from portal.services.deliveries.rate import get_rate
from portal.services.deliveries.refused_storms import find_refusals
from portal.services.deliveries.storage import get_storage
from portal.services.integrations.current import find_integration
from portal.services.integrations.option_kinds import OptionPage
from portal.services.integrations.options import show_options
from portal.services.organizations.listing import list_live_organizations
from portal.services.webhook import settings
from portal.services.webhook.execution import read_made, read_wanted
from portal.services.webhook.installation import find_installation, read_request
from portal.services.webhook.records import ApplyTo, Made, Piece, Wanted
from portal.services.webhook.state import Health, WebhookState, get_health
from portal.services.webhook.survey import Plan
from portal.web.webhook.forms import InstallForm, OptionForm
from portal.wording import join_words

WAIT = timedelta(minutes=15)
"""For so long after the last step somebody is taken to wait for the first call."""


def page_context(
    url: str,
    *,
    planned: Errand | None = None,
    plan_error: str | None = None,
    action: InstallationAction = InstallationAction.INSTALL,
    wanted: Wanted | None = None,
    secret: str | None = None,
    option_form: OptionForm | None = None,
) -> dict[str, Any]:
    """For every part of the page; `integration` is None before anything is connected."""
    integration = find_integration()
    if integration is None:
        return {"integration": None}
    if planned is not None:
        action, wanted = read_request(planned.wanted)
    row = find_installation(integration)
    made, health, keys = read_made(row), get_health(integration), settings.list_key_rows()
    return {
        "integration": integration,
        "url": url,
        "url_warnings": settings.list_url_warnings(url, health.is_reached),
        "header": settings.SECRET_HEADER,
        "headers": settings.headers_for(secret, made),
        "templates": _templates(),
        "keys": keys,
        "secret": secret,
        "health": health,
        "awaited": _is_awaited(health, row, keys),
        "installation": row,
        "installed": Piece.TEMPLATE in made.records,
        "places": _describe_places(made),
        "organizations": list_live_organizations(),
        "install_form": _install_form(wanted or read_wanted(row)),
        "option_form": option_form or _option_form(integration),
        **_plan(planned, plan_error),
        "action": action,
        "wanted": wanted,
    } | _limits()


def _is_awaited(
    health: Health, row: WebhookInstallation | None, keys: Sequence[settings.KeyRow]
) -> bool:
    """Whether the webhook was set up just now, and no alert has come since."""
    if health.state is WebhookState.ARRIVING:
        return False
    begun = [row.finished_at] if row else []
    begun += [health.last_test_at, *(key.created_at for key in keys)]
    return any(when is not None and utc_now() - when < WAIT for when in begun)


def _plan(planned: Errand | None, plan_error: str | None) -> dict[str, Any]:
    """What the errand found would change, or why it could not find it."""
    if planned is None:
        return {"plan_error": plan_error}
    return {
        "planned": planned,
        "plan": Plan.from_row(planned.result) if planned.ok else None,
        "plan_error": planned.message if planned.ok is False else None,
    }


def _limits() -> dict[str, Any]:
    return {"rate": get_rate(), "storage": get_storage(), "refusals": find_refusals()}


def _templates() -> list[dict[str, str]]:
    return [
        {"name": name, "id": word, "body": body, "sample": settings.render_sample(body)}
        for name, word, body in (
            ("Failure action", "failure", settings.FAILURE_BODY),
            ("Resolved action", "resolved", settings.RESOLVED_BODY),
        )
    ]


def _describe_places(made: Made) -> str:
    if made.default is not None:
        return "the server's default"
    names = sorted(chosen.name for chosen in made.organizations.values())
    if len(names) > 3:
        return join_words([*names[:3], f"{len(names) - 3} more"])
    return join_words(names)


def _install_form(wanted: Wanted | None) -> InstallForm:
    return InstallForm(
        formdata=None,
        apply_to=str(wanted.apply_to if wanted else ApplyTo.DEFAULT),
        clients=[str(pk) for pk in wanted.organizations] if wanted else [],
        use_key_store=wanted.use_key_store if wanted else True,
    )


def _option_form(integration: Integration) -> OptionForm:
    return OptionForm(formdata=None, **show_options(integration, OptionPage.WEBHOOK))

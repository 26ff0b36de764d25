"""The list of integrations, from the provider registry."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.providers import PROVIDERS
from portal.services.accounts.permissions import Permission
from portal.services.integrations.current import find_integration
from portal.web.guard import requires, tenant_blueprint

integrations = tenant_blueprint("integrations", __name__, "/integrations")


@integrations.get("/")
@requires(Permission.READ_CONNECTION)
def index() -> ResponseReturnValue:
    providers = [
        {
            "slug": provider.slug,
            "display_name": provider.name,
            "summary": provider.summary,
            "url": url_for(f"{provider.slug}.show"),
            "integration": find_integration(provider.slug),
        }
        for provider in PROVIDERS.values()
    ]
    return render_template("integrations/list.html", providers=providers)

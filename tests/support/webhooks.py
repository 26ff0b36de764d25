"""A tenant that is connected to the simulated server and has its webhook set up there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask

from portal.models import WebhookInstallation
from portal.models.integrations.integration import AuthMode
from portal.models.webhook.installation import InstallationAction
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations import connect, testing
from portal.services.webhook import installation
from portal.services.webhook.records import ApplyTo, Wanted
from portal.services.webhook.settings import get_webhook_url
from tactical_simulator import SimulatedTactical
from tests.support import msp as connecting

KEYS, ACTIONS, TEMPLATES = "/core/keystore/", "/core/urlaction/", "/alerts/templates/"


@dataclass(frozen=True, slots=True)
class Msp:
    """`portal`: where the intake is served."""

    app: Flask
    tactical: SimulatedTactical
    portal: str
    id: int
    slug: str = "acme"

    @contextmanager
    def scope(self) -> Iterator[None]:
        with self.app.app_context(), tenant_scope(self.id):
            yield

    def wanted(self, apply_to: str = "none", *clients: int, **options: Any) -> Wanted:
        with self.scope():
            url = get_webhook_url(self.portal)
        return Wanted(url=url, apply_to=ApplyTo(apply_to), organizations=clients, **options)

    def install(self, apply_to: str = "none", *clients: int, **options: Any) -> WebhookInstallation:
        wanted = self.wanted(apply_to, *clients, **options)
        with self.scope():
            return installation.run_now(InstallationAction.INSTALL, wanted)

    def remove(self) -> WebhookInstallation:
        with self.scope():
            return installation.run_now(InstallationAction.REMOVE, self.wanted())

    def preview(
        self,
        action: InstallationAction = InstallationAction.INSTALL,
        apply_to: str = "none",
        *clients: int,
    ) -> Any:
        wanted = self.wanted(apply_to, *clients)
        with self.scope():
            return installation.preview(action, wanted)

    def use_key(self, **role: Any) -> None:
        """Connect with another key: of a role with all permissions but those `without`."""
        self.connect(self.tactical.control.access.add_key(**role))

    def connect(self, key: str) -> None:
        with self.scope():
            connect.save_connection(
                connect.ConnectionSettings(
                    base_url=self.tactical.url, auth_mode=AuthMode.API_KEY, api_key=key
                )
            )
            testing.test_now()

    def everything(self) -> dict[str, Any]:
        """All that an installation could touch at Tactical."""
        state = self.tactical.state
        return {
            "keys": {key.pk: (key.name, key.value) for key in state.global_keys},
            "actions": {action.pk: repr(action) for action in state.url_actions},
            "templates": {template.pk: repr(template) for template in state.templates},
            "default": state.settings.alert_template,
            "clients": {pk: place.alert_template for pk, place in state.clients.items()},
        }

    def writes(self) -> list[tuple[str, str]]:
        """Requests that changed something, since the log was cleared."""
        log = self.tactical.control.log.entries()
        return [
            (entry.method, entry.path)
            for entry in log
            if entry.method in ("POST", "PUT", "DELETE")
            and not entry.path.endswith(("/0/", "/run/test/"))
        ]


def make_msp(app: Flask, tactical: SimulatedTactical, portal: str) -> Msp:
    """Connected, its organizations mapped, its devices synced."""
    with app.app_context():
        msp = Msp(app, tactical, portal, add_tenant("Acme MSP", "acme").id)
    with msp.scope():
        connecting.Msp(app, tactical, msp.id).import_fleet()
    return msp

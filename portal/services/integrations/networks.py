"""Networks that are opened to one tenant, and that tenant's way out through them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import AbstractContextManager
from threading import Event
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal.db import db, transaction
from portal.egress import (
    Accepted,
    Envelope,
    Gateway,
    Gateways,
    Limits,
    SmtpServer,
    Stream,
    is_never_of_a_tenant,
)
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import EgressNetwork
from portal.scope import get_tenant_id, tenant_scope
from portal.services.application import get_app
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record


def list_networks() -> list[str]:
    """Of the scope's tenant, in the order of their opening."""
    return list(db.session.scalars(select(EgressNetwork.network).order_by(EgressNetwork.id)))


def allow_network(text: str) -> str:
    """Open a network to the scope's tenant; twice is once. Its canonical form is returned.

    Raises InvalidInput for what is no network, and Refused for one that leads to this machine
    or to a cloud's metadata.
    """
    network = _read_network(text)
    if is_never_of_a_tenant(network):
        raise Refused(
            f"{network} contains loopback, link-local or cloud metadata addresses, so it cannot be "
            "opened to a single tenant. To open it to every tenant of this install, add it to "
            "PORTAL_EGRESS_ALLOW."
        )
    with transaction() as session:
        if str(network) not in list_networks():
            session.add(EgressNetwork(network=str(network)))
            about, after = Target("network", "", str(network)), {"network": str(network)}
            record(Action.NETWORK_ALLOWED, about, after=after)
    return str(network)


def withdraw_network(text: str) -> str:
    """Close it again. Raises InvalidInput, and NotFound when it is not open."""
    network = str(_read_network(text))
    with transaction() as session:
        found = session.scalar(select(EgressNetwork).where(EgressNetwork.network == network))
        if found is None:
            raise NotFound(f"{network} is not among the networks that are open to this tenant.")
        session.delete(found)
        record(Action.NETWORK_WITHDRAWN, Target("network", "", network), {"network": network})
    return network


class TenantGateway:
    """The gateway as one tenant sees it. Its networks are looked up at each call: what the operator
    opens or closes holds from the next one on, in every process.

    Threads that have no application in their context may use it.
    """

    def __init__(self, app: Flask, tenant_id: int) -> None:
        self._app, self._tenant_id = app, tenant_id

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        data: bytes | None = None,
        limits: Limits,
        given_up: Event | None = None,
    ) -> AbstractContextManager[Stream]:
        """As `portal.egress.Gateway.stream`."""
        return self._find().stream(
            method,
            url,
            headers=headers,
            json=json,
            data=data,
            limits=limits,
            given_up=given_up,
        )

    def send_mail(self, server: SmtpServer, envelope: Envelope, *, limits: Limits) -> Accepted:
        """As `portal.egress.Gateway.send_mail`."""
        return self._find().send_mail(server, envelope, limits=limits)

    def sign_in_to_mail(self, server: SmtpServer, *, limits: Limits) -> None:
        """As `portal.egress.Gateway.sign_in_to_mail`."""
        self._find().sign_in_to_mail(server, limits=limits)

    def _find(self) -> Gateway:
        with self._app.app_context(), tenant_scope(self._tenant_id):
            networks = tuple(ipaddress.ip_network(each) for each in list_networks())
        gateways: Gateways = self._app.extensions["gateways"]
        return gateways.of(networks)


def get_gateway() -> TenantGateway:
    """That of the scope's tenant."""
    return TenantGateway(get_app(), get_tenant_id())


def _read_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise InvalidInput(
            f"{text[:100]!r} is not a network. Enter one such as 10.20.0.0/16 or fd12:3456::/32.",
            field="network",
        ) from error

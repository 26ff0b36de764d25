"""What can go wrong on the way to another server. Each error has a stable `fault` word."""

from __future__ import annotations

from typing import ClassVar

from portal.errors import PortalError


class EgressError(PortalError):
    """The request did not come to an answer. `field` is the form field that mends it."""

    fault: ClassVar[str]
    field: ClassVar[str | None] = "base_url"
    wording: ClassVar[str]

    def __init__(self, host: str, detail: str = "") -> None:
        super().__init__(self.wording.format(host=host, detail=detail).strip())
        self.host = host


class NameNotResolved(EgressError):
    fault = "name_not_resolved"
    retryable = True
    wording = (
        "The name {host} does not resolve to an address. Check the spelling, and that the name "
        "is known to the DNS that the portal uses."
    )


class AddressRefused(EgressError):
    fault = "address_refused"
    wording = (
        "{host} is at {detail}, an address inside a private or reserved network, where the "
        "portal does not connect to. The operator of the portal can open that network to one "
        "tenant with `portal tenants allow-network`, and to every tenant with PORTAL_EGRESS_ALLOW."
    )


class InsecureUrl(EgressError):
    fault = "insecure_url"
    wording = (
        "http:// would send the credentials to {host} in the clear. Use https://; plain http is "
        "only for networks that the operator of the portal opened."
    )


class ConnectionRefused(EgressError):
    """`detail` is the reason: refused, no route, network down."""

    fault = "connection_refused"
    retryable = True
    wording = (
        "{host} cannot be connected to: {detail}. Check the port, that its web server runs, and "
        "that its firewall lets the portal in."
    )


class Timeout(EgressError):
    fault = "timeout"
    retryable = True
    wording = (
        "{host} did not answer in time. Check that the server is up and that no firewall drops "
        "the portal's connections. {detail}"
    )


class BadCertificate(EgressError):
    """`detail` is the fault that was found in it."""

    fault = "bad_certificate"
    wording = (
        "The TLS certificate of {host} cannot be trusted: {detail}. Renew it, use the name it "
        "was issued for, or have the operator add your own authority with PORTAL_CA_BUNDLE."
    )


class NoTls(BadCertificate):
    wording = (
        "No encrypted connection to {host} can be made: what answers there does not speak TLS "
        "as it should ({detail}). Check the port."
    )


class ConnectionLost(EgressError):
    fault = "connection_lost"
    retryable = True
    wording = (
        "The connection to {host} broke off before the answer was complete. Check the network "
        "between the portal and the server. {detail}"
    )


class TooLarge(EgressError):
    """`detail` is the limit."""

    fault = "too_large"
    wording = (
        "The answer of {host} is larger than an answer of this kind should be (the limit is "
        "{detail}). Check that the address is right, and what stands in front of it."
    )

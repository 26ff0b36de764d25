"""What can go wrong on the way to another server. Each error has a stable `fault` word."""

from __future__ import annotations

from typing import ClassVar

from portal.errors import PortalError


class EgressError(PortalError):
    """The request did not come to an answer. `field` is the form field that mends it."""

    fault: ClassVar[str]
    field: ClassVar[str | None] = "base_url"
    wording: ClassVar[str]
    was_sent = False
    """Whether the request, or a part of it, went out: then it may have arrived."""

    def __init__(self, host: str, detail: str = "") -> None:
        super().__init__(self.wording.format(host=host, detail=detail).strip())
        self.host = host


class NameNotResolved(EgressError):
    fault = "name_not_resolved"
    retryable = True
    wording = (
        "The name {host} does not resolve to an address. Check the spelling, and that the portal's "
        "DNS server knows the name."
    )


class AddressRefused(EgressError):
    fault = "address_refused"
    wording = (
        "{host} is at {detail}, an address inside a private or reserved network, to which the "
        "portal does not connect. The operator of the portal can allow that network for one tenant "
        "with `portal tenants allow-network`, and for every tenant with PORTAL_EGRESS_ALLOW."
    )


class InsecureUrl(EgressError):
    fault = "insecure_url"
    wording = (
        "http:// would send the credentials to {host} unencrypted. Use https://; plain http:// is "
        "only for networks that the operator of the portal allowed."
    )


class InsecureMail(InsecureUrl):
    field = "security"
    wording = (
        "Without TLS the mail would reach {host} unencrypted. Choose STARTTLS or TLS; a connection "
        "without it is only for networks that the operator of the portal allowed."
    )


class ConnectionRefused(EgressError):
    """`detail` is the reason: refused, no route, network down."""

    fault = "connection_refused"
    retryable = True
    wording = (
        "The portal cannot connect to {host}: {detail}. Check the port, that the web server is "
        "running, and that the firewall allows connections from the portal."
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
        "The portal cannot make an encrypted connection to {host}: the server did not complete the "
        "TLS handshake ({detail}). Check the port."
    )


class ConnectionLost(EgressError):
    fault = "connection_lost"
    retryable = True
    wording = (
        "The connection to {host} was lost before the answer was complete. Check the network "
        "between the portal and the server. {detail}"
    )


class TooLarge(EgressError):
    """`detail` is the limit."""

    fault = "too_large"
    wording = (
        "The answer from {host} is larger than the portal accepts (the limit is {detail}). Check "
        "that the address is right, and that no proxy changes the answer."
    )

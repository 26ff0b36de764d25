"""The one guarded door to the network: address policy, limits, no redirects."""

from portal.egress.door import Answer, Door, Limits, Stream
from portal.egress.errors import (
    AddressRefused,
    BadCertificate,
    ConnectionLost,
    ConnectionRefused,
    EgressError,
    InsecureUrl,
    NameNotResolved,
    Timeout,
    TooLarge,
)
from portal.egress.policy import EgressPolicy

__all__ = [
    "AddressRefused",
    "Answer",
    "BadCertificate",
    "ConnectionLost",
    "ConnectionRefused",
    "Door",
    "EgressError",
    "EgressPolicy",
    "InsecureUrl",
    "Limits",
    "NameNotResolved",
    "Stream",
    "Timeout",
    "TooLarge",
]

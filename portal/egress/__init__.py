"""The one guarded gateway to the network: address policy, limits, no redirects."""

from portal.egress.errors import (
    AddressRefused,
    BadCertificate,
    ConnectionLost,
    ConnectionRefused,
    EgressError,
    InsecureUrl,
    NameNotResolved,
    NoTls,
    Timeout,
    TooLarge,
)
from portal.egress.gateway import Answer, Gateway, Stream
from portal.egress.gateways import Gateways
from portal.egress.limits import Limits
from portal.egress.policy import EgressPolicy, is_never_of_a_tenant
from portal.egress.retry_after import read_retry_after
from portal.egress.smtp import (
    Accepted,
    Envelope,
    Security,
    SmtpRefused,
    SmtpReply,
    SmtpServer,
    Step,
)
from portal.egress.waiting import (
    CalledInRequest,
    NoSlotFree,
    reopen_egress,
    shut_egress,
    slot_in_request,
)

__all__ = [
    "Accepted",
    "AddressRefused",
    "Answer",
    "BadCertificate",
    "CalledInRequest",
    "ConnectionLost",
    "ConnectionRefused",
    "EgressError",
    "EgressPolicy",
    "Envelope",
    "Gateway",
    "Gateways",
    "InsecureUrl",
    "Limits",
    "NameNotResolved",
    "NoSlotFree",
    "NoTls",
    "Security",
    "SmtpRefused",
    "SmtpReply",
    "SmtpServer",
    "Step",
    "Stream",
    "Timeout",
    "TooLarge",
    "is_never_of_a_tenant",
    "read_retry_after",
    "reopen_egress",
    "shut_egress",
    "slot_in_request",
]

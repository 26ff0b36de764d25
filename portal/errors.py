"""Errors the portal raises on purpose, each knowing whether a retry can help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

PORTAL_FAULT = "The portal ran into an internal error. Its log has the details."
"""What a person reads when work was ended by a fault that is the portal's own."""


class PortalError(Exception):
    """Something a person can understand and act on.

    `message` is a whole sentence for that person: what is wrong and how to mend it.
    It holds no secret. `retryable` says whether the same call may succeed later.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(PortalError):
    """A setting of the install is missing or cannot be used."""


class InvalidInput(PortalError):
    """What a person typed cannot be used; `field` names the form field, if it was one. `others`:
    what else of the same form cannot be."""

    def __init__(
        self, message: str, field: str | None = None, others: Sequence[InvalidInput] = ()
    ) -> None:
        super().__init__(message)
        self.field = field
        self.others = others


class NotFound(PortalError):
    """The thing asked for is not there, or belongs to another tenant. `heading`: of its page."""

    def __init__(self, message: str, heading: str | None = None) -> None:
        super().__init__(message)
        self.heading = heading


class Refused(PortalError):
    """The request was understood and will not be done, for the reason in the message."""


class PermissionDenied(PortalError):
    """The user is a member of the tenant, but their role does not allow this."""


class SecretUnreadable(PortalError):
    """A stored secret cannot be decrypted: the key is missing or the row was altered."""

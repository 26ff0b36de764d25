"""What the portal shows to Tactical to be let in. None of it is ever printed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ApiKey:
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Password:
    """`totp_code` is one code, good for one sign-in; `totp_secret` makes new ones.

    `token` is one that Tactical gave before.
    """

    username: str
    password: str = field(repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    totp_code: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


Credentials = ApiKey | Password

"""What Tactical can answer instead of what was asked for.

Each error has a stable `fault` word, the form `field` that mends it, and a message for the
admin: what is wrong, and what to do.
"""

from __future__ import annotations

from typing import ClassVar

from portal.errors import PortalError
from portal.tactical.reading.text import write_wait


class TacticalError(PortalError):
    """Tactical answered, but not with what was asked for."""

    fault: ClassVar[str] = "unexpected_answer"
    field: str | None = None
    wording: ClassVar[str] = (
        "The portal cannot read Tactical's answer. If this continues, check whether a proxy "
        "changes the answer, and whether the portal supports this version of Tactical. {detail}"
    )

    def __init__(self, detail: str = "") -> None:
        super().__init__(self.wording.format(detail=detail).strip())


# --- The address ------------------------------------------------------------------------


class DashboardHost(TacticalError):
    fault = "dashboard_host"
    field = "base_url"
    wording = (
        "This is the address of Tactical's dashboard, or of some other web page, not of its API. "
        "Enter the API's host name, which usually begins with api. instead of rmm."
    )


class RedirectSeen(TacticalError):
    fault = "redirect"
    field = "base_url"
    wording = (
        "This address redirects{detail}. The portal does not follow redirects with credentials. "
        "Enter the final address of the API."
    )


class NotTactical(TacticalError):
    fault = "not_tactical"
    field = "base_url"
    wording = (
        "A server answers at this address, but it is not Tactical RMM. Check the host and the "
        "port. {detail}"
    )


class HostNotAllowed(TacticalError):
    fault = "host_not_allowed"
    field = "base_url"
    wording = (
        "Tactical does not accept this host name. Use the API's own name, not an IP address or "
        "another alias."
    )


# --- The credentials --------------------------------------------------------------------


class WrongKey(TacticalError):
    fault = "wrong_key"
    field = "api_key"
    wording = (
        "Tactical does not know this API key. Copy it again from Settings, Global Settings, "
        "API Keys."
    )


class ExpiredKey(TacticalError):
    fault = "expired_key"
    field = "api_key"
    wording = (
        "This API key has expired. Create a new one in Tactical, or extend its expiry date, "
        "and enter it here."
    )


class InactiveUser(TacticalError):
    fault = "inactive_user"
    field = "username"
    wording = (
        "The Tactical user behind these credentials is inactive or deleted. Activate the user in "
        "Tactical, or use another one."
    )


class WrongPassword(TacticalError):
    fault = "wrong_password"
    field = "password"
    wording = (
        "Tactical rejected this username and password. It also rejects correct ones for users who "
        "sign in with SSO or are blocked from the dashboard; use an API key for such a user."
    )


class TokenRefused(TacticalError):
    """A Knox token is dead. A new sign-in mends it, unless it was of this very moment."""

    fault = "token_refused"
    field = "password"
    wording = (
        "Tactical accepted the username and password, but rejected the session that it issued. "
        "Check that the clock of the Tactical server is right, and try again."
    )


class TotpNeeded(TacticalError):
    fault = "totp_needed"
    field = "totp_code"
    wording = (
        "This user signs in with a one-time code. Enter a current code, or the TOTP secret so "
        "that the portal can sign in unattended."
    )


class TotpWrong(TacticalError):
    fault = "totp_wrong"
    field = "totp_code"
    wording = (
        "Tactical rejected the one-time code. Enter a new one, and check that the clocks of the "
        "phone, the portal and the Tactical server agree."
    )


class TotpSecretWrong(TotpWrong):
    field = "totp_secret"
    wording = (
        "Tactical rejected the one-time code generated from the stored TOTP secret. Enter the "
        "secret again, and check that the clocks of the portal and the Tactical server agree."
    )


class MissingPermission(TacticalError):
    """`permission` is Tactical's name of the role's flag, None when it is not known."""

    fault = "missing_permission"

    def __init__(self, permission: str | None = None, what: str = "do this") -> None:
        remedy = f"Switch on {permission} in" if permission else "Check"
        PortalError.__init__(
            self,
            f"The credentials are valid, but do not have permission to {what}. "
            f"{remedy} the role of the Tactical user.",
        )
        self.permission = permission


# --- Waiting ----------------------------------------------------------------------------


class Throttled(TacticalError):
    """`seconds` is how long Tactical asks to wait."""

    fault = "throttled"
    retryable = True
    wording = (
        "Tactical has received too many requests and accepts none for now. Try again {detail}."
    )

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {write_wait(seconds)}")
        self.seconds = seconds


class LoginThrottled(Throttled):
    fault = "login_throttled"
    wording = (
        "Tactical allows only 10 sign-ins a minute and 300 a day from one address, and this limit "
        "has been reached. Try again {detail}; the credentials may be correct."
    )


class ServerError(TacticalError):
    """A 5xx. Tactical answers some wrong requests so, too."""

    fault = "server_error"
    retryable = True
    wording = (
        "Tactical reported an internal error ({detail}). If this continues, check the log of the "
        "Tactical server."
    )

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status

    @property
    def is_crash(self) -> bool:
        """Whether Tactical failed at what it was asked for, rather than what stands before it."""
        return self.status == 500


# --- The answer -------------------------------------------------------------------------


class UnexpectedAnswer(TacticalError):
    """Not JSON, or JSON of another shape: often a body cut or rewritten on the way."""

    retryable = True


class WebPage(TacticalError):
    """HTML where data was due, at an address that is not wrong as such."""

    retryable = True
    wording = (
        "The portal received a web page instead of Tactical's data ({detail}). Something in front "
        "of Tactical answered: a maintenance page, a firewall or a sign-in page. Make sure that "
        "requests of the portal reach the API."
    )


class BetaOff(TacticalError):
    fault = "beta_off"
    field = "inventory_source"
    wording = (
        "The beta API is switched off on this server. Switch it on (BETA_API_ENABLED), or choose "
        "another inventory source."
    )


class NotFoundInTactical(TacticalError):
    """`is_html`: no such address, rather than no such record."""

    fault = "not_found"
    wording = "Tactical does not have this record; it may have been deleted there. {detail}"

    def __init__(self, detail: str = "", is_html: bool = False) -> None:
        super().__init__(detail)
        self.is_html = is_html


class RequestRefused(TacticalError):
    """A 4xx in words of Tactical's own, which are shown as they are."""

    fault = "request_refused"
    wording = "Tactical rejected the request: {detail}"


class Abandoned(TacticalError):
    """Nobody waits for this answer any more."""

    fault = "abandoned"
    wording = "The request was cancelled, because its result is no longer needed."

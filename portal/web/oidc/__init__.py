"""Single sign-on: importing it gives the blueprint its views."""

from portal.web.oidc import linking
from portal.web.oidc.sign_in import sso

__all__ = ["linking", "sso"]

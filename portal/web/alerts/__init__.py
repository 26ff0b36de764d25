"""The pages of alerts: importing them gives the blueprint its views."""

from portal.web.alerts import taking
from portal.web.alerts.views import alerts

__all__ = ["alerts", "taking"]

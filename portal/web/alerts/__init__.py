"""The pages of alerts: importing them gives the blueprint its views."""

from portal.web.alerts import acting, taking
from portal.web.alerts.views import alerts

__all__ = ["acting", "alerts", "taking"]

"""The pages of clients: importing them gives the blueprint its views."""

from portal.web.clients import history, many, report, software
from portal.web.clients.views import clients

__all__ = ["clients", "history", "many", "report", "software"]

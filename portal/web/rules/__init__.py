"""Alert rules: importing this gives the blueprint its views."""

from portal.web.rules import editor, transfer
from portal.web.rules.views import rules

__all__ = ["editor", "rules", "transfer"]

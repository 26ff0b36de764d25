from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectMultipleField

from portal.services.integrations.option_kinds import OptionPage
from portal.services.webhook.records import ApplyTo
from portal.web.forms import SelectChoice
from portal.web.options import with_options


class InstallForm(FlaskForm):  # type: ignore[misc]
    """`clients`: ids of organizations at Tactical; the page gives the choices."""

    apply_to = RadioField(
        "Use the alert template",
        choices=[
            SelectChoice(str(ApplyTo.DEFAULT), "As the server's default"),
            SelectChoice(str(ApplyTo.ORGANIZATIONS), "For chosen organizations"),
            SelectChoice(str(ApplyTo.NOWHERE), "Nowhere yet"),
        ],
    )
    clients = SelectMultipleField("Organizations", validate_choice=False)
    use_key_store = BooleanField("Keep the secret in Tactical's key store")


@with_options(OptionPage.WEBHOOK)
class OptionForm(FlaskForm):  # type: ignore[misc]
    """How often alerts are read, and how long deliveries are kept."""

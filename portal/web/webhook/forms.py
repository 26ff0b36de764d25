from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from portal.services.webhook.records import ApplyTo


class InstallForm(FlaskForm):  # type: ignore[misc]
    """`clients`: ids of organizations at Tactical; the page gives the choices."""

    apply_to = RadioField(
        "Use the alert template",
        choices=[
            SelectChoice(str(ApplyTo.DEFAULT), "As the server's default"),
            SelectChoice(str(ApplyTo.CLIENTS), "For chosen organizations"),
            SelectChoice(str(ApplyTo.NOWHERE), "Nowhere yet"),
        ],
    )
    clients = SelectMultipleField("Organizations", validate_choice=False)
    use_key_store = BooleanField("Keep the secret in Tactical's key store")


class RevealForm(FlaskForm):  # type: ignore[misc]
    password = PasswordField("Your password")


class IntervalForm(FlaskForm):  # type: ignore[misc]
    alert_sync_minutes = StringField("Reconcile alerts every")
    alert_history_days = StringField("Read resolved alerts of")
    delivery_days = StringField("Keep deliveries for")

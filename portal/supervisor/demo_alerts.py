"""What the demo does about alerts: a night of maintenance, a mail box, rules that tell it."""

from __future__ import annotations

from datetime import timedelta

from portal.clock import utc_now
from portal.services.channels.changing import EnteredChannel, add_channel
from portal.services.handling.acting import act_now
from portal.services.handling.deciding import handle_due
from portal.services.rules.defaults import take_defaults
from portal.services.windows.drafts import WindowDraft, read_draft
from portal.services.windows.editing import add_window
from portal.services.windows.terms import Scope


def plan_patch_night(person: str) -> None:
    """The day after the second Tuesday, when the month's patches are out."""
    today = utc_now().date()
    night = WindowDraft(
        name="Patch night",
        zone="Europe/Berlin",
        starts=f"{today}T22:00",
        ends=f"{today + timedelta(days=1)}T06:00",
        every="month-weekday",
        nth="2",
        weekday="1",
        days_after="1",
        scope=Scope(),
    )
    add_window(read_draft(night), person)


def tell_mail_box(host: str, smtp_port: int) -> None:
    """By the rules to begin with. Each of them acts on what is active already, so that the first
    mails are there at once."""
    values = {
        "server": host,
        "port": str(smtp_port),
        "security": "none",
        "sender": "alerts@demo.example",
        "sender_name": "Demo MSP",
        "to": "night-shift@demo.example",
    }
    add_channel("mail", EnteredChannel(name="Mail box", most_per_minute="20", values=values))
    for rule in take_defaults():
        act_now(rule.id)
        handle_due()  # before the next one takes what this one leaves

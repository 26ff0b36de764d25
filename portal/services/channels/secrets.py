"""What a channel keeps in the vault."""

from __future__ import annotations

from portal.channels import KINDS
from portal.models import Channel
from portal.vault import find_secret


def read_secrets(channel: Channel) -> dict[str, str]:
    """By the name of the field. For a call alone, never to be shown. Raises SecretUnreadable."""
    found = {
        each.name: find_secret(channel, each.name)
        for each in KINDS[channel.kind].fields
        if each.is_secret
    }
    return {name: secret for name, secret in found.items() if secret is not None}

"""What a channel keeps in the vault."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any
from urllib.parse import urlsplit

from portal.channels import KINDS, ChannelKind
from portal.models import Channel
from portal.vault import find_secret

ANOTHER_HOST = "Enter it again: the one that is kept was entered for another server."


def read_secrets(channel: Channel) -> dict[str, str]:
    """By the name of the field. For a call alone, never to be shown. Raises SecretUnreadable."""
    found = {
        each.name: find_secret(channel, each.name)
        for each in KINDS[channel.kind].fields
        if each.is_secret
    }
    return {name: secret for name, secret in found.items() if secret is not None}


def find_carried_off(
    kind: ChannelKind, before: Mapping[str, Any], after: Mapping[str, Any], entered: Container[str]
) -> dict[str, str]:
    """Field -> what to do, of secrets that are kept although the channel leads to another host by
    now: else whoever changes that has them sent there without knowing them. `entered`: those that
    were entered now."""
    hosts = [each.name for each in kind.fields if each.names_host]
    if all(_read_host(before.get(name)) == _read_host(after.get(name)) for name in hosts):
        return {}
    kept = (each.name for each in kind.fields if each.is_secret and each.name not in hosts)
    return {
        name: ANOTHER_HOST
        for name in kept
        if before.get(name) and after.get(name) and name not in entered
    }


def _read_host(address: Any) -> str:
    """Of a URL, or a name as it stands."""
    text = str(address or "").strip()
    return (urlsplit(text).hostname or text).lower()

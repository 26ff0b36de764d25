"""`portal keys list`, `rotate` and `remove`."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand
from portal.cli.outcome import PARTIAL, SUCCESS, Outcome
from portal.services import key_rotation, key_uses


@click.group()
def keys() -> None:
    """The keys that stored secrets are encrypted with."""


@keys.command("list", cls=PortalCommand)
def list_keys() -> Outcome:
    """List the keys, and how many secrets each one encrypts."""
    uses = key_uses.list_keys()
    rows = [
        {
            "key": use.key_id,
            "secrets": use.envelopes,
            "encrypts": use.encrypts,
            "present": use.present,
        }
        for use in uses
    ]
    lines = [f"{use.key_id:<12} {use.envelopes:>8} secrets  {_describe(use)}" for use in uses]
    return Outcome({"ok": True, "keys": rows}, "\n".join(lines))


@keys.command(cls=PortalCommand)
def rotate() -> Outcome:
    """Encrypt everything with a new key, while the portal runs.

    After a rotation that was interrupted, it goes on with that one.
    """
    rotation = key_rotation.rotate_keys()
    data = {
        "ok": not rotation.unreadable,
        "key": rotation.key_id,
        "new": rotation.made,
        "moved": rotation.moved,
        "unreadable": rotation.unreadable,
        "digests": rotation.digests,
    }
    begun = "Created the key" if rotation.made else "Continued with the key"
    text = f"{begun} {rotation.key_id} and encrypted {rotation.moved} secrets with it."
    if rotation.unreadable:
        text += (
            f"\n{rotation.unreadable} secrets cannot be decrypted with the keys of this install "
            "and stay as they are. `portal keys list` shows which keys they need."
        )
    if rotation.digests is None:
        text += (
            "\nThe digests of webhook secrets keep their old key: some secrets cannot be decrypted."
        )
    return Outcome(data, text, PARTIAL if rotation.unreadable else SUCCESS)


@keys.command(cls=PortalCommand)
@click.argument("key")
def remove(key: str) -> Outcome:
    """Remove a KEY that no longer encrypts anything."""
    key_rotation.remove_key(key)
    return Outcome({"ok": True, "key": key}, f"Removed the key {key}.")


def _describe(use: key_uses.KeyUse) -> str:
    if not use.present:
        return "not a key of this install"
    if use.encrypts:
        return "encrypts"
    return "still needed" if use.envelopes else "can be removed"

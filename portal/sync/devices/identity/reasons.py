"""The explanation of a verdict on identity for people: one or two full sentences."""

from __future__ import annotations

from collections.abc import Sequence

from portal.sync.devices.identity.computers import Identity, Kind, KnownComputer, Newcomer

_MATCHES = {
    Identity.RELINK: "It has the serial number {serial} of the asset {asset}, {because}",
    Identity.MERGE: (
        "Its serial number {serial} has come in now. It is that of the older asset {asset}, "
        "{because} Both become one asset."
    ),
    Identity.WAITING: (
        "It has the serial number {serial} of the asset {asset}, whose agent may still be "
        "online. The next sync decides."
    ),
    Identity.OFFER: (
        "It has the serial number {serial} of the asset {asset}, which belongs to a connection "
        "that is set aside."
    ),
}

_CONFLICTS = {
    Kind.CLONE: (
        "It has the serial number {serial} of the asset {asset}, whose agent was seen after this "
        "one had been listed. They are two computers, such as a virtual machine and its clone."
    ),
    Kind.SEVERAL: (
        "More than one asset or new agent has the serial number {serial}, so it does not tell "
        "whose computer this is."
    ),
    Kind.STILL_ONLINE: (
        "It has the serial number {serial} of the asset {asset}, whose agent still counts as "
        "online an hour after this one was first listed."
    ),
    Kind.NOT_NEWER: (
        "It has the serial number {serial} of the asset {asset}, but that one is the newer of "
        "the two, so this is no re-installation of it."
    ),
    Kind.SHARED_SERIAL: (
        "It has the serial number {serial} of the asset {asset}, but another computer has this "
        "serial number too, so it does not tell them apart."
    ),
    Kind.EDITED: (
        "Its serial number {serial} has come in now. It is that of the older asset {asset}, but "
        "the asset of this agent was edited by hand, so it is not merged by itself."
    ),
    Kind.REVIVED: (
        "It checked in again after its asset had been given to a new agent with the same serial "
        "number. They may be two computers."
    ),
}


def describe_match(action: Identity, newcomer: Newcomer, asset: KnownComputer) -> str:
    """Of RELINK, MERGE, WAITING and OFFER."""
    because = "whose agent is no longer in Tactical."
    if asset.status is not None:
        because = "whose agent is not online and was not seen since this one was first listed."
    text = _MATCHES[action]
    return text.format(serial=newcomer.serial, asset=asset.name, because=because)


def describe_conflict(kind: Kind, newcomer: Newcomer, assets: Sequence[KnownComputer]) -> str:
    name = assets[0].name if assets else ""
    return _CONFLICTS[kind].format(serial=newcomer.serial, asset=name)


def describe_elsewhere(
    newcomer: Newcomer, rivals: Sequence[str], holders: Sequence[KnownComputer]
) -> str:
    """Of a serial number that only other new agents have, or assets which it cannot be."""
    if rivals:
        who = "Another new agent" if len(rivals) == 1 else "More than one other new agent"
        has = "has" if len(rivals) == 1 else "have"
        return f"{who} {has} the serial number {newcomer.serial} too; each has an asset of its own."
    return (
        f"The asset {holders[0].name} has the serial number {newcomer.serial} too, but belongs to "
        "another client or is reported as other hardware."
    )

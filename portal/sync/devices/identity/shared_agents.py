"""What it means that a known agent reports another serial number than before.

The board of a computer is replaced now and then, and the computer stays what it is. But an
imaged disk carries the agent's id to a second computer, and one agent then reports both by
turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.sync.devices.identity.likeness import contradicts
from portal.sync.devices.identity.serials import real_serial


class SerialChange(StrEnum):
    NONE = "none"
    """The same, or this look brings no real one: what is known stays."""
    FIRST = "first"
    """The first real one: its computer may be known already, see `Newcomer.asset_id`."""
    NEW_BOARD = "new_board"
    """The same asset; the old serial number is no evidence any more."""
    SHARED_AGENT = "shared_agent"
    """A conflict of that kind: the facts of two computers come under one agent_id."""


@dataclass(frozen=True, slots=True)
class SerialVerdict:
    change: SerialChange
    reason: str | None = None
    """A full sentence for people, where something changed."""


_NONE = SerialVerdict(SerialChange.NONE)


def judge_serial(
    reported_before: Sequence[str],
    name_before: str | None,
    serial_number: str | None,
    name: str,
    is_settled: bool = False,
) -> SerialVerdict:
    """What the serial number of this look means for the asset of the same agent.

    `reported_before` are all that the asset had, the current one last. `name_before` is the host
    name as Tactical reported it some hours before, since an agent sends its hardware later than its
    name; None where only one that a person gave is stored.
    `is_settled` says that a person looked at a conflict of this agent and found one computer.
    """
    serial = real_serial(serial_number)
    real = [known for text in reported_before if (known := real_serial(text))]
    if serial is None or real[-1:] == [serial]:
        return _NONE
    if not real:
        return SerialVerdict(SerialChange.FIRST, f"Its serial number {serial} has come in now.")
    change = f"Its serial number changed from {real[-1]} to {serial}"
    if not is_settled and serial in real:
        reason = (
            f"{change}, which it had before. Two computers with the same agent may be telling it "
            "by turns."
        )
        return SerialVerdict(SerialChange.SHARED_AGENT, reason)
    if not is_settled and contradicts(name_before, name):
        reason = (
            f"{change} and its host name from {name_before} to {name} at once. It may be another "
            "computer, whose disk is a copy of the first one's."
        )
        return SerialVerdict(SerialChange.SHARED_AGENT, reason)
    return SerialVerdict(SerialChange.NEW_BOARD, f"{change}: its board was replaced.")

"""A simulated Tactical RMM server with a believable fleet, for trials and tests.

It plays a foreign server and imports nothing of the rest of the portal. It behaves as a live
Tactical RMM 1.5.1 was seen to behave, its oddities included.
"""

from __future__ import annotations

from tactical_simulator.app import create_tactical
from tactical_simulator.control import Control
from tactical_simulator.control.remote import RemoteControl
from tactical_simulator.faults import Fault
from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.seeding import Credentials
from tactical_simulator.simulated import SimulatedTactical
from tactical_simulator.transport.other_hosts import OtherHost

__all__ = [
    "Control",
    "Credentials",
    "Fault",
    "FleetSpec",
    "OtherHost",
    "RemoteControl",
    "SimulatedTactical",
    "create_tactical",
]

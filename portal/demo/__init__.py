"""A simulated Tactical RMM server with a believable fleet, for trials and tests.

It plays a foreign server and imports nothing of the rest of the portal. It behaves as a live
Tactical RMM 1.5.1 was seen to behave, its oddities included.
"""

from __future__ import annotations

from portal.demo.app import create_tactical
from portal.demo.control import Control
from portal.demo.control.remote import RemoteControl
from portal.demo.faults import Fault
from portal.demo.fleet import FleetSpec
from portal.demo.other_hosts import OtherHost
from portal.demo.seeding import Credentials
from portal.demo.simulated import SimulatedTactical

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

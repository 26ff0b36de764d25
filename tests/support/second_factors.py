"""Second factors of users in tests: the app of a phone, which shows codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pyotp
import time_machine

from portal.clock import utc_now
from portal.services.accounts.second_factors import changes
from portal.services.accounts.second_factors.proof import Proof
from portal.services.accounts.second_factors.totp import STEP_SECONDS
from portal.services.accounts.throttle import Caller

HERE = Caller("192.0.2.1")


def steps_later(steps: int) -> time_machine.travel:
    """When an app shows its code after so many others; time stands still then."""
    then = utc_now() + timedelta(seconds=steps * STEP_SECONDS)
    return time_machine.travel(then, tick=False)


@dataclass(frozen=True, slots=True)
class Phone:
    secret: str

    def code(self) -> str:
        """What it shows now."""
        return pyotp.TOTP(self.secret).at(utc_now())


def set_up_app(user_id: int, password: str) -> tuple[Phone, list[str]]:
    """The phone, of whose codes those from now on are fresh, and the recovery codes."""
    changes.begin_app(user_id, Proof(password=password), HERE)
    shared = changes.find_new_app(user_id)
    assert shared is not None
    phone = Phone(shared.secret)
    with steps_later(-2):
        return phone, changes.confirm_app(user_id, phone.code(), keep_session="")

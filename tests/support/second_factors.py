"""Second factors of users in tests: the app of a phone, which shows codes."""

from __future__ import annotations

from dataclasses import dataclass

import pyotp

from portal.clock import utc_now
from portal.services.accounts.second_factors import changes
from portal.services.accounts.second_factors.proof import Proof
from portal.services.accounts.second_factors.totp import STEP_SECONDS
from portal.services.accounts.throttle import Caller

HERE = Caller("192.0.2.1")


@dataclass(frozen=True, slots=True)
class Phone:
    secret: str

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many steps later."""
        present = int(utc_now().timestamp()) // STEP_SECONDS
        return pyotp.TOTP(self.secret).generate_otp(present + steps)


def set_up_app(user_id: int, password: str) -> tuple[Phone, list[str]]:
    """The phone, of whose codes those from now on are fresh, and the recovery codes."""
    changes.begin_app(user_id, Proof(password=password), HERE)
    shared = changes.find_new_app(user_id)
    assert shared is not None
    phone = Phone(shared.secret)
    return phone, changes.confirm_app(user_id, phone.code(-1), keep_session="")

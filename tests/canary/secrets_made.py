"""Every secret that the portal makes, keeps, checks or is told, caught where it passes."""

from __future__ import annotations

import re
import secrets
import sys
from types import FrameType
from typing import Any

import pyotp
import pytest

from portal.services.accounts import passwords
from portal.services.accounts.second_factors import recovery_codes
from portal.vault import Vault
from tests.canary.watch import Watch
from tests.support.passwords import QUICK

ADDRESSES = ("channels.url", "event_subscribers.url")
"""Of these the last part is the secret; the host is shown."""


def catch(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    _catch_vault(watch, monkeypatch)
    _catch_made(watch, monkeypatch)
    _catch_typed(watch, monkeypatch)


def _catch_vault(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = Vault.seal

    def sealed(self: Vault, plain: str, bound_to: str) -> str:
        kind = name_of_sealed(bound_to)
        if kind:
            watch.add(kind, plain.rpartition("/")[2] if kind in ADDRESSES else plain)
        return seal(self, plain, bound_to)

    monkeypatch.setattr(Vault, "seal", sealed)


def name_of_sealed(bound_to: str) -> str:
    """`rmm_integrations.api_key` of what is bound to `1/rmm_integrations/3/api_key`. Nothing for a
    form that waits for a proof: what was typed into it is caught by itself."""
    names = [part for part in bound_to.split("/") if not part.isdigit()]
    return "" if names[0] == "form" else re.sub(r"(audit_key)\..*", r"\1", ".".join(names[:2]))


def _catch_made(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that are made at random, by the function that asks for one."""
    token, group, base32 = secrets.token_urlsafe, recovery_codes._in_groups, pyotp.random_base32

    def make_token(size: int | None = None) -> str:
        made = token(size)
        caller = sys._getframe(1)
        if caller.f_code.co_name == "new_token" and caller.f_back is not None:
            caller = caller.f_back
        if caller.f_globals["__name__"].startswith("portal."):
            watch.add(_name_of(caller), made)
        return made

    def in_groups(code: str) -> str:
        grouped = group(code)
        for each in (code, grouped):
            watch.add("recovery_codes.make_codes", each)
        return grouped

    def make_base32(*args: Any, **kwargs: Any) -> str:
        made = base32(*args, **kwargs)
        watch.add(_name_of(sys._getframe(1)), made)
        return made

    monkeypatch.setattr(secrets, "token_urlsafe", make_token)
    monkeypatch.setattr(recovery_codes, "_in_groups", in_groups)
    monkeypatch.setattr(pyotp, "random_base32", make_base32)


def _name_of(frame: FrameType) -> str:
    """`sign_in.start_session`."""
    return f"{frame.f_globals['__name__'].rpartition('.')[2]}.{frame.f_code.co_name}"


def _catch_typed(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords, right and wrong, and codes of apps, those beside the right one too."""
    generate = pyotp.TOTP.generate_otp

    class Hasher:
        def hash(self, password: str) -> str:
            watch.add("password", password)
            return QUICK.hash(password)

        def verify(self, hashed: str, password: str) -> bool:
            watch.add("password typed", password)
            return QUICK.verify(hashed, password)

        def __getattr__(self, name: str) -> Any:
            return getattr(QUICK, name)

    def generate_code(self: pyotp.TOTP, input: int) -> str:
        code = generate(self, input)
        watch.add("code", code)
        return code

    monkeypatch.setattr(passwords, "_hasher", Hasher())
    monkeypatch.setattr(pyotp.TOTP, "generate_otp", generate_code)

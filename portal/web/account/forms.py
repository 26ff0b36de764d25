from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField

from portal.services.accounts.second_factors.proof import Proof
from portal.web.account.passkeys import read_signed
from portal.web.forms import CodeField, SignedField


class CodeForm(FlaskForm):  # type: ignore[misc]
    code = CodeField("Code from your authenticator app")


class ProofForm(CodeForm):
    """One of these is asked for, whichever the user has."""

    recovery_code = CodeField("Recovery code")
    password = PasswordField("Current password")
    passkey = SignedField()

    def read(self) -> Proof:
        return Proof(
            code=self.code.data or "",
            recovery_code=self.recovery_code.data or "",
            password=self.password.data or "",
            passkey=read_signed(self.passkey.data),
        )


class PasskeyForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name")
    passkey = SignedField()

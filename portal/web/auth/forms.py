from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField

from portal.web.forms import CodeField


class SignInForm(FlaskForm):  # type: ignore[misc]
    email = StringField("Email address")
    password = PasswordField("Password")
    next = HiddenField()


class SetupForm(FlaskForm):  # type: ignore[misc]
    token = CodeField("Setup token")
    email = StringField("Email address")
    password = PasswordField("Password")
    tenant_name = StringField("Company")
    slug = StringField("Short name")


class AccountForm(FlaskForm):  # type: ignore[misc]
    old_password = PasswordField("Current password")
    new_password = PasswordField("New password")


class InvitationForm(FlaskForm):  # type: ignore[misc]
    password = PasswordField("Choose a password")


class ResetForm(FlaskForm):  # type: ignore[misc]
    password = PasswordField("New password")
